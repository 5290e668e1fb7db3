"""What a checkpoint holds, for tests and campaigns."""

import numpy as np
import tensorflow as tf

from logan.checkpoints import Checkpoints


def variables(checkpoints: Checkpoints, step: int) -> dict[str, np.ndarray]:
    """Every variable of the checkpoint of that step, by the names that TensorFlow gave them."""
    [index] = checkpoints.path(step).glob("*.index")
    reader = tf.train.load_checkpoint(str(index.with_suffix("")))
    # Beside the variables there is a description of how the objects hang together.
    return {
        name: reader.get_tensor(name)
        for name in reader.get_variable_to_shape_map()
        if name.endswith("/.ATTRIBUTES/VARIABLE_VALUE")
    }
