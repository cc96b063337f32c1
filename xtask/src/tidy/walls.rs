//! Which crates may not be reached from which: the house's walls, checked over the text of `cargo tree`. Used by tidy.

/// A package and what its dependency graph may not hold.
#[derive(Debug)]
pub(super) struct Wall {
    /// The package whose graph is read; always one.
    pub(super) package: Option<&'static str>,
    /// The kinds of edges that are followed.
    pub(super) edges: &'static str,
    forbidden: &'static [&'static str],
    why: &'static str,
}

const PURE: &str = "it decides and never acts";

const fn wall(package: &'static str, forbidden: &'static [&'static str], why: &'static str) -> Wall {
    Wall {
        package: Some(package),
        edges: "normal",
        forbidden,
        why,
    }
}

/// Every wall. A name that ends in a space is followed by a version; with a quoted feature, by that feature.
pub(super) const WALLS: &[Wall] = &[
    wall("api", &["tokio ", "hyper ", "kube-client ", "env "], "it is words only"),
    wall("rollout", &["tokio ", "hyper ", "kube-client ", "env "], PURE),
    wall("traffic", &["tokio ", "hyper ", "kube-client ", "env "], PURE),
    wall("analysis", &["tokio ", "hyper ", "kube-client ", "env "], PURE),
    wall(
        "tidepool",
        &[
            "api ",
            "rollout ",
            "traffic ",
            "analysis ",
            "controller ",
            "kubectl-tidegate ",
            "suites ",
        ],
        "a Kubernetes knows nothing of rollouts",
    ),
    wall(
        "suites",
        &[
            "api ",
            "rollout ",
            "traffic ",
            "analysis ",
            "controller ",
            "kubectl-tidegate ",
            "tidepool ",
        ],
        "the suite judges any controller, from outside",
    ),
    Wall {
        package: Some("controller"),
        edges: "normal,features",
        forbidden: &["env feature \"sim\"", "tokio feature \"test-util\""],
        why: "the released program has no simulated time",
    },
];

impl Wall {
    /// What of the graph stands on the wrong side, each said once.
    pub(super) fn findings(&self, tree: &str) -> Vec<String> {
        let package = self.package.unwrap_or_default();
        self.forbidden
            .iter()
            .filter(|name| tree.lines().skip(1).any(|line| line.starts_with(**name)))
            .map(|name| {
                format!(
                    "package {package} depends on {}: {}; see cargo tree --package {package} --edges {} --invert {}",
                    name.trim_end(),
                    self.why,
                    self.edges,
                    name.split(' ').next().unwrap_or_default(),
                )
            })
            .collect()
    }
}

/// Packages that nothing may depend on, in any way.
const NOWHERE: &[(&str, &str)] = &[
    (
        "aws-lc-rs ",
        "ring is the one crypto provider; two of them make rustls panic, and this one needs cmake",
    ),
    (
        "aws-lc-sys ",
        "ring is the one crypto provider; two of them make rustls panic, and this one needs cmake",
    ),
    ("openssl-sys ", "TLS is rustls with ring"),
];

/// What of the whole workspace's graph is banned everywhere.
pub(super) fn banned(tree: &str) -> Vec<String> {
    NOWHERE
        .iter()
        .filter(|(name, _)| tree.lines().any(|line| line.starts_with(name)))
        .map(|(name, why)| {
            let name = name.trim_end();
            format!("{name} is in the dependency graph: {why}; see cargo tree --invert {name}")
        })
        .collect()
}
