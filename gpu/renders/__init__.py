"""Renders on ComfyUI workers: their HTTP interface, their frames, workflows, and a pool of them."""
