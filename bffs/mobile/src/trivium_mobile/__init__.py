"""The mobile team's BFF: screens for phones as trimmed REST."""
