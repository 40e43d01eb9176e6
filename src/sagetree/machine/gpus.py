"""How many GPUs this process may use."""

import ctypes


def visible_gpus() -> int:
    """Return how many GPUs the CUDA driver shows to this process; 0 without a driver.

    The driver itself minds CUDA_VISIBLE_DEVICES and what a container was given.
    """
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return 0
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return 0
    return count.value
