"""What is true: entities, rules, ports, errors and events. Plain Python, no I/O."""
