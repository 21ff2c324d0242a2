"""The web team's BFF: GraphQL over the services behind it."""
