import numpy as np
import pytest
from placed import normal


@pytest.fixture
def real():
    """Features of 23 real images."""
    return normal(0, 23, 4).astype(np.float32)


@pytest.fixture
def generated():
    """Features of 17 generated images."""
    return (normal(1, 17, 4) * 0.7 + 0.5).astype(np.float32)
