"""What keeps one failure from becoming many: deadlines, breakers, bulkheads."""
