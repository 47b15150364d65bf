"""One operator a step of the recovery life cycle, for the DAGs of dr.yaml and for other people's."""

from dr_airflow.operators.approval import AuthoriseRestoreOperator, RestoreApprovalOperator, RestorePlanOperator
from dr_airflow.operators.backup import (
    BackupOperator,
    BackupPlanOperator,
    CommitBackupOperator,
    RecordProofOperator,
    StoreShardsOperator,
)
from dr_airflow.operators.base import RecoveryOperator, open_runtime
from dr_airflow.operators.copies import PruneOperator, ReplicateOperator, VerifyOperator
from dr_airflow.operators.freshness import AlarmOperator, FreshnessOperator, RefreshCatalogOperator
from dr_airflow.operators.orchestrator import SaveOrchestratorOperator
from dr_airflow.operators.recovery import DrillOperator, DrillVerdictOperator, RestoreOperator
from dr_airflow.operators.serving import MoveEndpointOperator, PlanMoveOperator, WatchEndpointOperator

__all__ = [
    "AlarmOperator",
    "AuthoriseRestoreOperator",
    "BackupOperator",
    "BackupPlanOperator",
    "CommitBackupOperator",
    "DrillOperator",
    "DrillVerdictOperator",
    "FreshnessOperator",
    "MoveEndpointOperator",
    "PlanMoveOperator",
    "PruneOperator",
    "RecordProofOperator",
    "RecoveryOperator",
    "RefreshCatalogOperator",
    "ReplicateOperator",
    "RestoreApprovalOperator",
    "RestoreOperator",
    "RestorePlanOperator",
    "SaveOrchestratorOperator",
    "StoreShardsOperator",
    "VerifyOperator",
    "WatchEndpointOperator",
    "open_runtime",
]
