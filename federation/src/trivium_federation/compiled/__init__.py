"""Plans as generated code over msgspec Structs: the same answers as the interpreter, at a fraction of the cost."""
