"""What every BFF is made of: its app, its gate, its way to serve. Knows no particular BFF."""
