//! A way through a gateway, written once and said in the words of each family of routes. Pure. Used by the cases.

use serde_json::{Map, Value, json};

use crate::routes::{Door, Family};

/// Where a case puts its objects.
pub(super) struct Place {
    pub(super) family: Family,
    pub(super) door: Door,
    pub(super) namespace: String,
    /// The case's name, with which all of its objects begin.
    pub(super) case: &'static str,
    /// The name under which the gateway knows a host's first part.
    pub(super) host: Box<dyn Fn(&str) -> String + Send + Sync>,
}

/// What a way asks of a request, and where it leads.
#[derive(Clone, Copy)]
pub(super) struct Way<'a> {
    pub(super) path: &'a str,
    pub(super) exact: bool,
    pub(super) header: Option<(&'a str, &'a str)>,
    pub(super) query: Option<(&'a str, &'a str)>,
    /// Services, by what is behind them, and their weights.
    pub(super) to: &'a [(&'a str, u32)],
}

/// Every request, to the old version.
pub(super) const EVERYWHERE: Way<'static> = Way {
    path: "/",
    exact: false,
    header: None,
    query: None,
    to: &[("old", 100)],
};

impl Place {
    /// A Service of this case.
    pub(super) fn service(&self, behind: &str) -> String {
        format!("{}-{behind}", self.case)
    }

    /// The routes of these ways for the case's own host.
    pub(super) fn ways(&self, ways: &[Way<'_>]) -> Vec<Value> {
        self.ways_of(self.case, "a", ways)
    }

    /// The routes of these ways for a host; among routes of one case, names are in the order of `rank`, as are their ages.
    pub(super) fn ways_of(&self, host: &str, rank: &str, ways: &[Way<'_>]) -> Vec<Value> {
        match self.family {
            Family::Ingress => self.ingresses(host, rank, ways),
            Family::HttpRoute => vec![self.http_route(host, rank, ways)],
            Family::VirtualService => vec![self.virtual_service(host, rank, ways)],
        }
    }

    /// An Ingress that is a canary by these annotations (`canary-…` or what follows it), for one path.
    pub(super) fn canary(&self, rank: &str, path: &str, behind: &str, annotations: &[(&str, &str)]) -> Value {
        let mut words = Map::new();
        words.insert("nginx.ingress.kubernetes.io/canary".to_owned(), json!("true"));
        for (key, value) in annotations {
            words.insert(format!("nginx.ingress.kubernetes.io/canary-{key}"), json!(value));
        }
        let mut ingress = self.ingress(
            self.case,
            rank,
            &[Way {
                path,
                to: &[(behind, 100)],
                ..EVERYWHERE
            }],
        );
        ingress["metadata"]["annotations"] = Value::Object(words);
        ingress
    }

    fn named(&self, rank: &str, mut object: Value) -> Value {
        object["metadata"] = json!({ "name": format!("{}-{rank}", self.case), "namespace": self.namespace });
        object
    }

    /// The main Ingress, and one canary for each way that splits or selects.
    fn ingresses(&self, host: &str, rank: &str, ways: &[Way<'_>]) -> Vec<Value> {
        let selects = |way: &&Way<'_>| way.header.is_some();
        let main: Vec<Way<'_>> = ways.iter().filter(|way| !selects(way)).copied().collect();
        let mut objects = vec![self.ingress(host, rank, &main)];
        for (index, way) in ways.iter().enumerate() {
            let rank = format!("{rank}-{index}");
            if let (Some((name, value)), Some((behind, _))) = (way.header, way.to.first()) {
                let words = [("by-header", name), ("by-header-value", value)];
                objects.push(self.canary(&rank, way.path, behind, &words));
            } else if let Some((behind, weight)) = way.to.get(1) {
                objects.push(self.canary(&rank, way.path, behind, &[("weight", &weight.to_string())]));
            }
        }
        objects
    }

    fn ingress(&self, host: &str, rank: &str, ways: &[Way<'_>]) -> Value {
        let path = |way: &Way<'_>| {
            let service = self.service(way.to.first().map_or("old", |(behind, _)| *behind));
            json!({
                "path": way.path, "pathType": if way.exact { "Exact" } else { "Prefix" },
                "backend": {"service": {"name": service, "port": {"number": 80}}},
            })
        };
        let paths: Vec<Value> = ways.iter().map(path).collect();
        self.named(
            rank,
            json!({
                "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
                "spec": {
                    "ingressClassName": "nginx",
                    "rules": [{"host": (self.host)(host), "http": {"paths": paths}}],
                },
            }),
        )
    }

    fn http_route(&self, host: &str, rank: &str, ways: &[Way<'_>]) -> Value {
        let rule = |way: &Way<'_>| {
            let kind = if way.exact { "Exact" } else { "PathPrefix" };
            let mut wanted = json!({"path": {"type": kind, "value": way.path}});
            if let Some((name, value)) = way.header {
                wanted["headers"] = json!([{"name": name, "value": value}]);
            }
            if let Some((name, value)) = way.query {
                wanted["queryParams"] = json!([{"name": name, "value": value}]);
            }
            let backend =
                |(behind, weight): &(&str, u32)| json!({"name": self.service(behind), "port": 80, "weight": weight});
            json!({"matches": [wanted], "backendRefs": way.to.iter().map(backend).collect::<Vec<_>>()})
        };
        self.named(
            rank,
            json!({
                "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
                "spec": {
                    "parentRefs": [{"name": self.door.name, "namespace": self.door.namespace}],
                    "hostnames": [(self.host)(host)],
                    "rules": ways.iter().map(rule).collect::<Vec<_>>(),
                },
            }),
        )
    }

    fn virtual_service(&self, host: &str, rank: &str, ways: &[Way<'_>]) -> Value {
        let rule = |way: &Way<'_>| {
            let kind = if way.exact { "exact" } else { "prefix" };
            let mut wanted = json!({"uri": {kind: way.path}});
            if let Some((name, value)) = way.header {
                wanted["headers"] = json!({name: {"exact": value}});
            }
            if let Some((name, value)) = way.query {
                wanted["queryParams"] = json!({name: {"exact": value}});
            }
            let destination = |(behind, weight): &(&str, u32)| json!({"destination": {"host": self.service(behind), "port": {"number": 80}}, "weight": weight});
            json!({"match": [wanted], "route": way.to.iter().map(destination).collect::<Vec<_>>()})
        };
        self.named(
            rank,
            json!({
                "apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
                "spec": {
                    "gateways": [format!("{}/{}", self.door.namespace, self.door.name)],
                    "hosts": [(self.host)(host)],
                    "http": ways.iter().map(rule).collect::<Vec<_>>(),
                },
            }),
        )
    }
}
