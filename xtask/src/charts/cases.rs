//! What the chart is tried with: values and what they change, values that are refused, and ways to break the chart. Data only; used by `charts`.

use super::Check;

/// The namespace of `install.yaml`.
pub(super) const NAMESPACE: &str = "tidegate";

/// One rendering of the chart.
pub(super) struct Rendering {
    /// Its name, in messages and file names.
    pub(super) name: &'static str,
    /// The namespace that it is for.
    pub(super) namespace: &'static str,
    /// Options of helm that choose values.
    pub(super) set: &'static [&'static str],
    /// What it is to be.
    pub(super) expected: Expected,
}

/// How a rendering differs from what is installed by default.
pub(super) enum Expected {
    /// In these lines of [`super::objects::differences`].
    Changes(&'static [&'static str]),
    /// In the namespace, wherever one is named.
    Namespace(&'static str),
}

/// Options that helm has to refuse.
pub(super) struct Refusal {
    /// The options.
    pub(super) options: &'static [&'static str],
    /// What has to be in helm's reason.
    pub(super) because: &'static str,
}

/// A way to break the chart.
pub(super) struct Breakage {
    /// Its name, in messages and folder names.
    pub(super) name: &'static str,
    /// The file below the chart.
    pub(super) file: &'static str,
    /// The text whose first place is broken.
    pub(super) from: &'static str,
    /// What stands there instead.
    pub(super) to: &'static str,
    /// The check that has to see it.
    pub(super) seen_by: Check,
}

const fn changed(name: &'static str, set: &'static [&'static str], changes: &'static [&'static str]) -> Rendering {
    Rendering {
        name,
        namespace: NAMESPACE,
        set,
        expected: Expected::Changes(changes),
    }
}

/// The defaults, and each value changed.
pub(super) const RENDERINGS: &[Rendering] = &[
    changed("defaults", &[], &[]),
    Rendering {
        name: "namespace",
        namespace: "elsewhere",
        set: &[],
        expected: Expected::Namespace("elsewhere"),
    },
    changed(
        "one-replica",
        &["--set", "replicas=1"],
        &["Deployment tidegate /spec/replicas: 2 → 1"],
    ),
    changed(
        "image",
        &[
            "--set",
            "image.repository=registry.example.com:5000/a/b,image.pullPolicy=Always",
            "--set-string",
            "image.tag=1.20",
        ],
        &[
            "Deployment tidegate /spec/template/spec/containers/0/image: \"tidegate.dev/tidegate:0.1.0\" → \"registry.example.com:5000/a/b:1.20\"",
            "Deployment tidegate /spec/template/spec/containers/0/imagePullPolicy: \"IfNotPresent\" → \"Always\"",
        ],
    ),
    changed(
        "workers",
        &["--set", "workers=256"],
        &["Deployment tidegate /spec/template/spec/containers/0/args/2: \"--workers=3\" → \"--workers=256\""],
    ),
    changed(
        "log-format",
        &["--set", "logFormat=text"],
        &["Deployment tidegate /spec/template/spec/containers/0/args/3: \"--log-format=json\" → \"--log-format=text\""],
    ),
    changed(
        "resources",
        &["--set-json", r#"resources={"limits":null,"requests":{"memory":"1Gi"}}"#],
        &[
            "Deployment tidegate /spec/template/spec/containers/0/resources/limits: {\"memory\":\"512Mi\"} → nothing",
            "Deployment tidegate /spec/template/spec/containers/0/resources/requests/memory: \"64Mi\" → \"1Gi\"",
        ],
    ),
    changed(
        "node-selector",
        &[
            "--set-string",
            r"nodeSelector.kubernetes\.io/os=linux,nodeSelector.fast=true",
        ],
        &[
            "Deployment tidegate /spec/template/spec/nodeSelector/fast: nothing → \"true\"",
            "Deployment tidegate /spec/template/spec/nodeSelector/kubernetes.io/os: nothing → \"linux\"",
        ],
    ),
    changed(
        "tolerations",
        &[
            "--set-json",
            r#"tolerations=[{"key":"spot","operator":"Exists","effect":"NoSchedule"}]"#,
        ],
        &[
            "Deployment tidegate /spec/template/spec/tolerations/0: nothing → {\"effect\":\"NoSchedule\",\"key\":\"spot\",\"operator\":\"Exists\"}",
        ],
    ),
    // What a chart hands down to the charts in it is nobody's business here.
    changed("global", &["--set", "global.team=blue"], &[]),
];

const fn refused(options: &'static [&'static str], because: &'static str) -> Refusal {
    Refusal { options, because }
}

/// What helm has to refuse, each with a reason that names the value.
pub(super) const REFUSALS: &[Refusal] = &[
    refused(&["--set", "replicas=0"], "'/replicas'"),
    refused(&["--set", "replicas=17"], "'/replicas'"),
    refused(&["--set", "replicas=two"], "'/replicas'"),
    refused(&["--set", "replicas=null"], "'replicas'"),
    refused(&["--set", "replica=3"], "'replica'"),
    refused(&["--set", "workers=0"], "'/workers'"),
    refused(&["--set", "logFormat=xml"], "'/logFormat'"),
    refused(&["--set", "image=tidegate:1"], "image"),
    refused(&["--set", "image.repository="], "'/image/repository'"),
    refused(&["--set", "image.repository=null"], "'repository'"),
    refused(&["--set", "image.tag=12"], "'/image/tag'"),
    refused(&["--set", "image.pullPolicy=Sometimes"], "'/image/pullPolicy'"),
    refused(&["--set", "image.digest=sha256:0"], "'digest'"),
    refused(&["--set", "resources=none"], "resources"),
    refused(&["--set", "tolerations={spot}"], "'/tolerations/0'"),
    refused(&["--set", "nodeSelector.fast=true"], "'/nodeSelector/fast'"),
    refused(&["--kube-version", "1.27.0"], "1.27.0"),
];

const TEMPLATE: &str = "templates/tidegate.yaml";

/// Each seen by the check that it is for, whatever else sees it.
pub(super) const BREAKAGES: &[Breakage] = &[
    Breakage {
        name: "unnamed-chart",
        file: "Chart.yaml",
        from: "version: 0.1.0\n",
        to: "version: one\n",
        seen_by: Check::Lint,
    },
    Breakage {
        name: "value-without-default",
        file: "values.yaml",
        from: "replicas: 2\n",
        to: "",
        seen_by: Check::Lint,
    },
    Breakage {
        name: "right-that-the-chart-alone-gives",
        file: TEMPLATE,
        from: "  resources:\n  - rollouts/status\n",
        to: "  resources:\n  - '*'\n",
        seen_by: Check::Rendering,
    },
    Breakage {
        name: "value-that-nobody-reads",
        file: TEMPLATE,
        from: "{{ .Values.replicas }}",
        to: "2",
        seen_by: Check::Rendering,
    },
    Breakage {
        name: "namespace-that-stays",
        file: TEMPLATE,
        from: "    namespace: {{ .Release.Namespace }}",
        to: "    namespace: tidegate",
        seen_by: Check::Rendering,
    },
    Breakage {
        name: "definitions-that-go",
        file: TEMPLATE,
        from: "helm.sh/resource-policy: keep",
        to: "helm.sh/resource-policy: delete",
        seen_by: Check::Rendering,
    },
    Breakage {
        name: "values-without-a-least",
        file: "values.schema.json",
        from: "\"minimum\": 1,",
        to: "\"minimum\": 0,",
        seen_by: Check::Refusal,
    },
    Breakage {
        name: "values-that-nobody-knows",
        file: "values.schema.json",
        from: "\"additionalProperties\": false,",
        to: "\"additionalProperties\": true,",
        seen_by: Check::Refusal,
    },
    Breakage {
        name: "misspelled-field",
        file: TEMPLATE,
        from: "serviceAccountName:",
        to: "serviceAcountName:",
        seen_by: Check::Schema,
    },
    Breakage {
        name: "text-for-a-number",
        file: TEMPLATE,
        from: "replicas: {{ .Values.replicas }}",
        to: "replicas: \"{{ .Values.replicas }}\"",
        seen_by: Check::Schema,
    },
    Breakage {
        name: "field-of-a-definition",
        file: TEMPLATE,
        from: "openAPIV3Schema:",
        to: "openAPIV2Schema:",
        seen_by: Check::Schema,
    },
    Breakage {
        name: "webhook-without-its-side-effects",
        file: TEMPLATE,
        from: "  sideEffects: None\n",
        to: "",
        seen_by: Check::Schema,
    },
    Breakage {
        name: "rule-without-verbs",
        file: TEMPLATE,
        from: "  verbs:\n",
        to: "  verb:\n",
        seen_by: Check::Schema,
    },
];
