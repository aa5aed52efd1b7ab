"""The edge agent: MediaPipe beside a camera, and packets to the server. No picture and no landmark leaves the machine.

`camera` needs the extra `perception`; `client` and `sender` need nothing that the server does not.
"""
