//! Every name that is part of the contract with people and with other controllers: the group, labels, annotations, finalizers, reasons, suffixes
//! and magic values. Whoever needs one takes it from here, so that no name is spelled twice.

/// The API group.
pub const GROUP: &str = "rollouts.kruise.io";
/// The older version, still served.
pub const V1ALPHA1: &str = "v1alpha1";
/// The stored version.
pub const V1BETA1: &str = "v1beta1";

/// Finalizers.
pub mod finalizer {
    /// On a Rollout, from its first reconcile until its clean-up is done.
    pub const ROLLOUT: &str = "rollouts.kruise.io/rollout";
    /// On a BatchRelease.
    pub const BATCH_RELEASE: &str = "rollouts.kruise.io/batch-release-finalizer";
    /// On a canary Deployment.
    pub const CANARY_DEPLOYMENT: &str = "finalizer.rollouts.kruise.io/batch-release";
    /// On a TrafficRouting.
    pub const TRAFFIC_ROUTING: &str = "rollouts.kruise.io/trafficrouting";
    /// On a TrafficRouting while a rollout uses it; the rollout's name follows.
    pub const TRAFFIC_ROUTING_PROGRESSING_PREFIX: &str = "progressing.rollouts.kruise.io/";
}

/// Annotations.
pub mod annotation {
    /// On a workload: it is frozen and in a release; the value names the rollout, see [`super::in_progressing`].
    pub const IN_PROGRESSING: &str = "rollouts.kruise.io/in-progressing";
    /// On a workload: the BatchRelease that controls it.
    pub const CONTROL_INFO: &str = "batchrelease.rollouts.kruise.io/control-info";
    /// On a Deployment released by partition: its strategy.
    pub const DEPLOYMENT_STRATEGY: &str = "rollouts.kruise.io/deployment-strategy";
    /// On a Deployment released by partition: what was reached.
    pub const DEPLOYMENT_EXTRA_STATUS: &str = "rollouts.kruise.io/deployment-extra-status";
    /// On a workload: the strategy it had before the release, to be put back.
    pub const ORIGINAL_DEPLOYMENT_STRATEGY: &str = "rollouts.kruise.io/original-deployment-strategy";
    /// On a route object that is edited in place: what its backends weighed before the release, for each stable Service.
    pub const ORIGINAL_WEIGHTS: &str = "rollouts.kruise.io/original-weights";
    /// On a native DaemonSet: its revisions.
    pub const DAEMONSET_REVISION: &str = "rollouts.kruise.io/daemonset-revision";
    /// On a native DaemonSet: partition and batch revision.
    pub const DAEMONSET_ADVANCED_CONTROL: &str = "rollouts.kruise.io/daemonset-advanced-control";
    /// On a native DaemonSet: the update strategy it had.
    pub const DAEMONSET_ORIGINAL_UPDATE_STRATEGY: &str = "rollouts.kruise.io/daemonset-original-update-strategy";
    /// On a workload: the release's id, given by a person or a pipeline. The label of the same name is read too.
    pub const ROLLOUT_ID: &str = "rollouts.kruise.io/rollout-id";
    /// On a Rollout: the plan hash.
    pub const PLAN_HASH: &str = "rollouts.kruise.io/hash";
    /// Ours, on a Rollout: the workload and the routes that it leads, or led when the release under way began. An edit that names others is
    /// followed once what is bound has been given back.
    pub const BOUND_TO: &str = "rollouts.kruise.io/bound-to";
    /// On a v1alpha1 Rollout: `canary` or `partition`, whatever the case.
    pub const ROLLING_STYLE: &str = "rollouts.kruise.io/rolling-style";
    /// On a Rollout: the TrafficRouting it uses.
    pub const TRAFFIC_ROUTING: &str = "rollouts.kruise.io/trafficrouting";
    /// On a Rollout: `"true"` makes a rollback walk the steps.
    pub const ROLLBACK_IN_BATCH: &str = "rollouts.kruise.io/rollback-in-batch";
    /// On a network object that was edited in place: how it was before.
    pub const ORIGINAL_SPEC_CONFIGURATION: &str = "rollouts.kruise.io/original-spec-configuration";
    /// Ours, on a stored (v1beta1) object that was written as v1alpha1: what v1beta1 cannot hold, put back when it is read as v1alpha1.
    pub const KEPT_FROM_V1ALPHA1: &str = "rollouts.kruise.io/kept-from-v1alpha1";
    /// Ours, on the v1alpha1 view of an object: what v1alpha1 cannot hold, put back when it is written.
    pub const KEPT_FROM_V1BETA1: &str = "rollouts.kruise.io/kept-from-v1beta1";
    /// kube-controller-manager's revision number on Deployments and ReplicaSets.
    pub const DEPLOYMENT_REVISION: &str = "deployment.kubernetes.io/revision";
    /// kubectl's mark of a restart, on pod templates.
    pub const RESTARTED_AT: &str = "kubectl.kubernetes.io/restartedAt";
    /// The class of an Ingress, the old way.
    pub const INGRESS_CLASS: &str = "kubernetes.io/ingress.class";
}

/// Labels.
pub mod label {
    /// On a workload: its type; the webhooks select by it.
    pub const WORKLOAD_TYPE: &str = "rollouts.kruise.io/workload-type";
    /// On a workload and on its new pods: the release's id.
    pub const ROLLOUT_ID: &str = "rollouts.kruise.io/rollout-id";
    /// On pods of the new revision: the batch, from 1.
    pub const ROLLOUT_BATCH_ID: &str = "rollouts.kruise.io/rollout-batch-id";
    /// On a Deployment in a release: the stable revision.
    pub const STABLE_REVISION: &str = "rollouts.kruise.io/stable-revision";
    /// On a Deployment released by partition.
    pub const CONTROLLED_BY_ADVANCED_DEPLOYMENT: &str =
        "rollouts.kruise.io/controlled-by-advanced-deployment-controller";
    /// On a canary Deployment: the Deployment it belongs to.
    pub const CANARY_DEPLOYMENT: &str = "rollouts.kruise.io/canary-deployment";
    /// On pods that a rollback need not touch: the release's id.
    pub const NO_NEED_UPDATE: &str = "rollouts.kruise.io/no-need-update";
    /// The revision of a ReplicaSet and its pods.
    pub const POD_TEMPLATE_HASH: &str = "pod-template-hash";
    /// The revision of a StatefulSet's or DaemonSet's pods.
    pub const CONTROLLER_REVISION_HASH: &str = "controller-revision-hash";
}

/// Values of [`label::WORKLOAD_TYPE`].
pub mod workload_type {
    /// apps Deployment.
    pub const DEPLOYMENT: &str = "deployment";
    /// apps.kruise.io CloneSet.
    pub const CLONE_SET: &str = "cloneset";
    /// StatefulSets of both groups, and whatever a user labels so.
    pub const STATEFUL_SET: &str = "statefulset";
    /// DaemonSets of both groups.
    pub const DAEMON_SET: &str = "daemonset";
}

/// Condition types of a Rollout.
pub mod condition {
    /// A release is under way (`True`) or over (`False`).
    pub const PROGRESSING: &str = "Progressing";
    /// How the last release ended: `True` promoted, `False` rolled back.
    pub const SUCCEEDED: &str = "Succeeded";
    /// The Rollout is being deleted.
    pub const TERMINATING: &str = "Terminating";
    /// Ours: the API server refuses a write that the release needs (`True`); the message says which, and what to do.
    pub const STALLED: &str = "Stalled";
}

/// Reasons of the conditions, and of events.
pub mod reason {
    /// The release is being prepared.
    pub const INITIALIZING: &str = "Initializing";
    /// The steps are walked.
    pub const IN_ROLLING: &str = "InRolling";
    /// `spec.strategy.paused`.
    pub const PAUSED: &str = "Paused";
    /// The steps are done; cleaning up.
    pub const FINALISING: &str = "Finalising";
    /// Rolled back; cleaning up.
    pub const CANCELLING: &str = "Cancelling";
    /// Clean-up is done.
    pub const COMPLETED: &str = "Completed";
    /// The Rollout is being deleted; cleaning up.
    pub const IN_TERMINATING: &str = "InTerminating";
    /// Event reason for progress.
    pub const PROGRESSING: &str = "Progressing";
    /// Event reason: a Rollout asks for what this version does not serve.
    pub const NOT_SERVED: &str = "NotServed";
    /// An analysis came to a verdict.
    pub const ANALYSIS: &str = "Analysis";
    /// A verdict took the new version back.
    pub const ABORTED: &str = "Aborted";
    /// Event reason: something keeps the release from going on.
    pub const STUCK: &str = "Stuck";
    /// Event reason: a BatchRelease names a kind that cannot be released in batches.
    pub const UNSUPPORTED_WORKLOAD: &str = "UnsupportedWorkload";
    /// Ours, of the condition and event about a write that the API server refuses.
    pub const WRITE_REFUSED: &str = "WriteRefused";
    /// Ours, of the condition and event about objects that the controller may not read.
    pub const READ_REFUSED: &str = "ReadRefused";
}

/// Appended to a stable Service's or Ingress's name.
pub const CANARY_SUFFIX: &str = "-canary";
/// Appended to the name in a HorizontalPodAutoscaler's target while a blue-green release holds it.
pub const HPA_DISABLED_SUFFIX: &str = "-DisableByRollout";
/// The partition that holds every pod of a StatefulSet or DaemonSet.
pub const PARTITION_ALL: i32 = 32_767;
/// `minReadySeconds` that no pod reaches.
pub const MIN_READY_SECONDS_NEVER: i32 = 2_147_483_646;
/// `progressDeadlineSeconds` that never ends.
pub const PROGRESS_DEADLINE_NEVER: i32 = 2_147_483_647;
/// Seconds after which a rollout looks again, and the grace when a routing names none that is positive.
pub const DEFAULT_GRACE_SECONDS: i32 = 3;
/// Most steps that a rollout may have.
pub const MAX_STEPS: usize = 50;
/// With traffic, most of a workload that a partition step may take, in percent; more would take stable pods away from traffic that needs them.
pub const PARTITION_PERCENT_LIMIT: i32 = 50;
/// The ConfigMap whose keys override the built-in traffic scripts.
pub const CONFIGURATION_CONFIG_MAP: &str = "kruise-rollout-configuration";
/// The lease of the acting replica.
pub const LEADER_LEASE: &str = "71ddec2c.kruise.io";
/// Field manager of everything that the controller writes.
pub const FIELD_MANAGER: &str = "tidegate";
/// The alphabet of hashes: no vowels, no look-alikes, safe in labels.
pub const SAFE_ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";

/// Names in `metadata` of the webhook configurations, and where they point.
pub mod webhook {
    /// The MutatingWebhookConfiguration.
    pub const MUTATING_CONFIGURATION: &str = "kruise-rollout-mutating-webhook-configuration";
    /// The ValidatingWebhookConfiguration.
    pub const VALIDATING_CONFIGURATION: &str = "kruise-rollout-validating-webhook-configuration";
    /// The Service in front of the webhook server.
    pub const SERVICE: &str = "kruise-rollout-webhook-service";
    /// The namespace that the controller is installed in.
    pub const NAMESPACE: &str = "kruise-rollout";
    /// The Secret that holds the server's certificate.
    pub const CERTS_SECRET: &str = "kruise-rollout-webhook-certs";
    /// The port that the server listens on.
    pub const PORT: u16 = 9876;
    /// Path of the conversion webhook.
    pub const CONVERT_PATH: &str = "/convert";
    /// Path of the Rollout validation.
    pub const VALIDATE_ROLLOUT_PATH: &str = "/validate-rollouts-kruise-io-rollout";
    /// Path of the Deployment mutation.
    pub const MUTATE_DEPLOYMENT_PATH: &str = "/mutate-apps-v1-deployment";
    /// Path of the validation of analysis templates.
    pub const VALIDATE_ANALYSIS_TEMPLATE_PATH: &str = "/validate-rollouts-kruise-io-analysistemplate";
    /// Name of the Rollout validation.
    pub const VALIDATE_ROLLOUT: &str = "vrollout.kb.io";
    /// Name of the validation of analysis templates.
    pub const VALIDATE_ANALYSIS_TEMPLATE: &str = "vanalysistemplate.kb.io";
    /// Name of the Deployment mutation.
    pub const MUTATE_DEPLOYMENT: &str = "mdeployment.kb.io";
}

/// The value of [`annotation::IN_PROGRESSING`] for a release driven by `rollout`.
pub fn in_progressing(rollout: &str) -> String {
    serde_json::json!({ "rolloutName": rollout }).to_string()
}

/// The canary object's name beside `stable`.
pub fn canary_name(stable: &str) -> String {
    format!("{stable}{CANARY_SUFFIX}")
}

/// The value of [`label::WORKLOAD_TYPE`] for a kind, or nothing when the kind is not known.
pub fn workload_type_of(kind: &str) -> Option<&'static str> {
    match kind {
        "Deployment" => Some(workload_type::DEPLOYMENT),
        "CloneSet" => Some(workload_type::CLONE_SET),
        "StatefulSet" => Some(workload_type::STATEFUL_SET),
        "DaemonSet" => Some(workload_type::DAEMON_SET),
        _ => None,
    }
}
