"""A ComfyUI for tests: its routes and its frames as recorded of real ones, on a real socket, and its faults at will."""
