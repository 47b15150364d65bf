"""The tensors of a restored model in the forms that they are stored in, to be read and changed."""

from dr_lib.standby.control.weights.base import Changes, Named, Weights
from dr_lib.standby.control.weights.opening import weights_of

__all__ = ["Changes", "Named", "Weights", "weights_of"]
