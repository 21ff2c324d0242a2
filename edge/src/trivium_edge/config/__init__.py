"""gateway.yaml: read with its lines, checked as a whole, turned into frozen typed objects."""
