"""The work of the subcommands of `velocity`, a module each; `app/cli.py` reads their options."""
