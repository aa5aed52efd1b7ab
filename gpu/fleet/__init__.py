"""Machines: what NVML and the kernel's log say of GPUs, what an operator may have simulated, and memory given back."""
