"""Models and machines, over HTTP and NVML: inference, renders, fleet."""
