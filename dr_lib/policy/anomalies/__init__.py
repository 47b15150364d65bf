"""What in a new run is unlike the last good point: findings in plain sentences, from facts alone."""

from dr_lib.policy.anomalies.judge import judge
from dr_lib.policy.anomalies.novelty import novelty

__all__ = ["judge", "novelty"]
