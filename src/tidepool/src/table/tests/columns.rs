//! The built-in types' columns, and one row of each that has something to tell.

use serde_json::{Value, json};

use super::shown;
use crate::resource::Resource;
use crate::schema::Catalog;
use crate::table::builtin::columns;

fn table(group: &str, plural: &str, objects: Vec<Value>) -> String {
    let resource = Resource {
        group: group.to_owned().into(),
        plural: plural.to_owned().into(),
        ..crate::resource::PODS
    };
    let objects: Vec<Value> = objects
        .into_iter()
        .map(|mut object| {
            object["metadata"]["creationTimestamp"] = json!("2026-01-01T11:55:30Z");
            object
        })
        .collect();
    shown(columns(&resource), &objects)
}

fn pod(name: &str, spec: &Value, status: &Value) -> Value {
    json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name }, "spec": spec, "status": status })
}

#[test]
fn every_listed_type_is_served() {
    for (group, plural, _) in crate::table::builtin::PRINTED {
        let types = Catalog::builtin();
        let mut served = types.types().iter();
        assert!(
            served.any(|kind| kind.resource.group == *group && kind.resource.plural == *plural),
            "{plural}.{group}"
        );
    }
}

#[test]
fn pods_say_what_they_are_doing() {
    let one = json!({ "nodeName": "node-1", "containers": [{ "name": "c" }] });
    let running = json!({ "phase": "Running", "podIP": "10.0.0.1", "containerStatuses": [
        { "name": "c", "ready": true, "restartCount": 0, "state": { "running": {} } }] });
    let creating = json!({ "phase": "Pending", "containerStatuses": [
        { "name": "c", "ready": false, "restartCount": 0, "state": { "waiting": { "reason": "ContainerCreating" } } }] });
    let crashed = json!({ "phase": "Running", "containerStatuses": [
        { "name": "c", "ready": false, "restartCount": 3, "state": { "waiting": { "reason": "CrashLoopBackOff" } },
          "lastState": { "terminated": { "finishedAt": "2026-01-01T11:59:15Z" } } }] });
    let done = json!({ "phase": "Succeeded", "containerStatuses": [
        { "name": "c", "ready": false, "restartCount": 0, "state": { "terminated": { "reason": "Completed", "exitCode": 0 } } }] });
    let killed = json!({ "phase": "Failed", "containerStatuses": [
        { "name": "c", "ready": false, "restartCount": 0, "state": { "terminated": { "signal": 9, "exitCode": 137 } } }] });
    let mut gated = one.clone();
    gated["readinessGates"] = json!([{ "conditionType": "a" }, { "conditionType": "b" }]);
    let mut gate = running.clone();
    gate["conditions"] = json!([{ "type": "a", "status": "True" }]);
    let mut ending = pod("ending", &one, &running);
    ending["metadata"]["deletionTimestamp"] = json!("2026-01-01T12:00:00Z");
    let mut initial = one.clone();
    initial["initContainers"] = json!([{ "name": "i" }, { "name": "side", "restartPolicy": "Always" }]);
    let first = json!({ "phase": "Pending", "initContainerStatuses": [
        { "name": "i", "restartCount": 1, "state": { "running": {} } }] });
    let failed = json!({ "phase": "Pending", "initContainerStatuses": [
        { "name": "i", "restartCount": 1, "state": { "terminated": { "reason": "Error", "exitCode": 1 } } }] });
    let beside = json!({ "phase": "Running", "initContainerStatuses": [
        { "name": "i", "restartCount": 0, "state": { "terminated": { "exitCode": 0 } } },
        { "name": "side", "restartCount": 2, "started": true, "ready": true, "state": { "running": {} } }],
        "containerStatuses": running["containerStatuses"] });
    let objects = vec![
        pod(
            "new",
            &json!({ "containers": [{}, {}] }),
            &json!({ "phase": "Pending" }),
        ),
        pod("creating", &one, &creating),
        pod("running", &one, &running),
        pod("crashed", &one, &crashed),
        pod("done", &one, &done),
        pod("killed", &one, &killed),
        pod("gated", &gated, &gate),
        ending,
        pod("initial", &initial, &first),
        pod("initial-failed", &initial, &failed),
        pod("sidecar", &initial, &beside),
    ];
    insta::assert_snapshot!(table("", "pods", objects), @r"
    NAME | READY | STATUS | RESTARTS | AGE | IP | NODE | NOMINATED NODE | READINESS GATES
    new | 0/2 | Pending | 0 | 4m30s | <none> | <none> | <none> | <none>
    creating | 0/1 | ContainerCreating | 0 | 4m30s | <none> | node-1 | <none> | <none>
    running | 1/1 | Running | 0 | 4m30s | 10.0.0.1 | node-1 | <none> | <none>
    crashed | 0/1 | CrashLoopBackOff | 3 (45s ago) | 4m30s | <none> | node-1 | <none> | <none>
    done | 0/1 | Completed | 0 | 4m30s | <none> | node-1 | <none> | <none>
    killed | 0/1 | Signal:9 | 0 | 4m30s | <none> | node-1 | <none> | <none>
    gated | 1/1 | Running | 0 | 4m30s | 10.0.0.1 | node-1 | <none> | 1/2
    ending | 1/1 | Terminating | 0 | 4m30s | 10.0.0.1 | node-1 | <none> | <none>
    initial | 0/2 | Init:0/2 | 1 | 4m30s | <none> | node-1 | <none> | <none>
    initial-failed | 0/2 | Init:Error | 1 | 4m30s | <none> | node-1 | <none> | <none>
    sidecar | 2/2 | Running | 2 | 4m30s | <none> | node-1 | <none> | <none>
    ");
}

#[test]
fn a_pod_that_ended_says_so_in_its_row() {
    let pod = pod("done", &json!({}), &json!({ "phase": "Succeeded" }));
    let table = crate::table::table(&[], &[&pod], super::now(), crate::table::Include::None, false);
    assert_eq!(table["rows"][0]["conditions"][0]["reason"], "Succeeded");
}

#[test]
fn every_kind_has_its_own_words() {
    let cases = [
        (
            "apps",
            "deployments",
            json!({
                "metadata": { "name": "web" },
                "spec": { "replicas": 5, "selector": { "matchLabels": { "app": "web" }, "matchExpressions": [
                    { "key": "tier", "operator": "NotIn", "values": ["b", "a"] }, { "key": "x", "operator": "DoesNotExist" }] },
                    "template": { "spec": { "containers": [{ "name": "a", "image": "i:1" }, { "name": "b", "image": "j:2" }] } } },
                "status": { "readyReplicas": 3, "updatedReplicas": 4, "availableReplicas": 2 },
            }),
        ),
        (
            "apps",
            "replicasets",
            json!({
                "metadata": { "name": "web-1" },
                "spec": { "replicas": 5, "selector": { "matchLabels": { "app": "web" } },
                    "template": { "spec": { "containers": [{ "name": "a", "image": "i:1" }] } } },
                "status": { "replicas": 4, "readyReplicas": 3 },
            }),
        ),
        (
            "apps",
            "statefulsets",
            json!({ "metadata": { "name": "db" }, "spec": { "replicas": 2 } }),
        ),
        (
            "batch",
            "jobs",
            json!({
                "metadata": { "name": "once" }, "spec": { "completions": 3 },
                "status": { "succeeded": 1, "startTime": "2026-01-01T11:59:00Z" },
            }),
        ),
        (
            "batch",
            "cronjobs",
            json!({
                "metadata": { "name": "nightly" }, "spec": { "schedule": "0 0 * * *", "suspend": true }, "status": {},
            }),
        ),
        (
            "",
            "services",
            json!({
                "metadata": { "name": "web" },
                "spec": { "type": "NodePort", "clusterIPs": ["10.96.0.7"], "ports": [
                    { "port": 80, "nodePort": 30080, "protocol": "TCP" }, { "port": 53, "protocol": "UDP" }],
                    "selector": { "app": "web", "tier": "front" } },
            }),
        ),
        (
            "",
            "services",
            json!({
                "metadata": { "name": "web" }, "spec": { "type": "LoadBalancer", "clusterIPs": ["None"] },
            }),
        ),
        (
            "",
            "endpoints",
            json!({
                "metadata": { "name": "web" }, "subsets": [{ "ports": [{ "port": 80 }],
                    "addresses": [{ "ip": "10.0.0.1" }, { "ip": "10.0.0.2" }, { "ip": "10.0.0.3" }, { "ip": "10.0.0.4" }] }],
            }),
        ),
        (
            "discovery.k8s.io",
            "endpointslices",
            json!({
                "metadata": { "name": "web-x" }, "addressType": "IPv4", "ports": [{ "port": 80 }],
                "endpoints": [{ "addresses": ["10.0.0.1"] }, { "addresses": ["10.0.0.2"] }],
            }),
        ),
        (
            "networking.k8s.io",
            "ingresses",
            json!({
                "metadata": { "name": "web" },
                "spec": { "ingressClassName": "nginx", "rules": [{ "host": "a" }, { "host": "b" }, { "host": "c" }, { "host": "d" }],
                    "tls": [{}] },
                "status": { "loadBalancer": { "ingress": [{ "hostname": "lb" }, { "ip": "10.0.0.9" }] } },
            }),
        ),
        (
            "networking.k8s.io",
            "ingressclasses",
            json!({
                "metadata": { "name": "nginx" }, "spec": { "controller": "k8s.io/ingress-nginx" },
            }),
        ),
        (
            "",
            "nodes",
            json!({
                "metadata": { "name": "node-1", "labels": { "node-role.kubernetes.io/worker": "" } },
                "spec": { "unschedulable": true },
                "status": { "conditions": [{ "type": "Ready", "status": "True" }], "addresses": [{ "type": "InternalIP", "address": "172.18.0.2" }],
                    "nodeInfo": { "kubeletVersion": "v1.36.3", "osImage": "tidepool" } },
            }),
        ),
        (
            "",
            "namespaces",
            json!({ "metadata": { "name": "default" }, "status": { "phase": "Active" } }),
        ),
        (
            "",
            "events",
            json!({
                "metadata": { "name": "web.1" }, "type": "Normal", "reason": "Started", "message": "Started container c\n",
                "involvedObject": { "kind": "Pod", "name": "web-1", "fieldPath": "spec.containers{c}" },
                "source": { "component": "kubelet", "host": "node-1" }, "count": 3,
                "firstTimestamp": "2026-01-01T11:00:00Z", "lastTimestamp": "2026-01-01T11:59:00Z",
            }),
        ),
        (
            "",
            "configmaps",
            json!({ "metadata": { "name": "c" }, "data": { "a": "" }, "binaryData": { "b": "" } }),
        ),
        (
            "",
            "secrets",
            json!({ "metadata": { "name": "s" }, "type": "Opaque", "data": { "a": "" } }),
        ),
        (
            "coordination.k8s.io",
            "leases",
            json!({ "metadata": { "name": "l" }, "spec": { "holderIdentity": "me" } }),
        ),
        (
            "admissionregistration.k8s.io",
            "mutatingwebhookconfigurations",
            json!({ "metadata": { "name": "w" }, "webhooks": [{}, {}] }),
        ),
        (
            "apiextensions.k8s.io",
            "customresourcedefinitions",
            json!({ "metadata": { "name": "rollouts.x" } }),
        ),
        (
            "policy",
            "poddisruptionbudgets",
            json!({ "metadata": { "name": "p" }, "spec": { "maxUnavailable": "30%" } }),
        ),
        (
            "autoscaling",
            "horizontalpodautoscalers",
            json!({
                "metadata": { "name": "h" },
                "spec": { "scaleTargetRef": { "kind": "Deployment", "name": "web" }, "minReplicas": 1, "maxReplicas": 3, "metrics": [
                    { "type": "Resource", "resource": { "name": "cpu", "target": { "averageUtilization": 80 } } }] },
            }),
        ),
    ];
    let shown: Vec<String> = cases
        .into_iter()
        .map(|(group, plural, object)| table(group, plural, vec![object]))
        .collect();
    insta::assert_snapshot!(shown.join("\n\n"), @r"
    NAME | READY | UP-TO-DATE | AVAILABLE | AGE | CONTAINERS | IMAGES | SELECTOR
    web | 3/5 | 4 | 2 | 4m30s | a,b | i:1,j:2 | app=web,tier notin (a,b),!x

    NAME | DESIRED | CURRENT | READY | AGE | CONTAINERS | IMAGES | SELECTOR
    web-1 | 5 | 4 | 3 | 4m30s | a | i:1 | app=web

    NAME | READY | AGE | CONTAINERS | IMAGES
    db | 0/2 | 4m30s |  |

    NAME | STATUS | COMPLETIONS | DURATION | AGE | CONTAINERS | IMAGES | SELECTOR
    once | Running | 1/3 | 60s | 4m30s |  |  | <none>

    NAME | SCHEDULE | TIMEZONE | SUSPEND | ACTIVE | LAST SCHEDULE | AGE | CONTAINERS | IMAGES
    nightly | 0 0 * * * | <none> | True | 0 | <none> | 4m30s |  |

    NAME | TYPE | CLUSTER-IP | EXTERNAL-IP | PORT(S) | AGE | SELECTOR
    web | NodePort | 10.96.0.7 | <none> | 80:30080/TCP,53/UDP | 4m30s | app=web,tier=front

    NAME | TYPE | CLUSTER-IP | EXTERNAL-IP | PORT(S) | AGE | SELECTOR
    web | LoadBalancer | None | <pending> | <none> | 4m30s | <none>

    NAME | ENDPOINTS | AGE
    web | 10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 1 more... | 4m30s

    NAME | ADDRESSTYPE | PORTS | ENDPOINTS | AGE
    web-x | IPv4 | 80 | 10.0.0.1,10.0.0.2 | 4m30s

    NAME | CLASS | HOSTS | ADDRESS | PORTS | AGE
    web | nginx | a,b,c + 1 more... | 10.0.0.9,lb | 80, 443 | 4m30s

    NAME | CONTROLLER | PARAMETERS | AGE
    nginx | k8s.io/ingress-nginx | <none> | 4m30s

    NAME | STATUS | ROLES | AGE | VERSION | INTERNAL-IP | EXTERNAL-IP | OS-IMAGE | KERNEL-VERSION | CONTAINER-RUNTIME
    node-1 | Ready,SchedulingDisabled | worker | 4m30s | v1.36.3 | 172.18.0.2 | <none> | tidepool | <unknown> | <unknown>

    NAME | STATUS | AGE
    default | Active | 4m30s

    LAST SEEN | TYPE | REASON | OBJECT | SUBOBJECT | SOURCE | MESSAGE | FIRST SEEN | COUNT | NAME
    60s | Normal | Started | pod/web-1 | spec.containers{c} | kubelet, node-1 | Started container c | 60m | 3 | web.1

    NAME | DATA | AGE
    c | 2 | 4m30s

    NAME | TYPE | DATA | AGE
    s | Opaque | 1 | 4m30s

    NAME | HOLDER | AGE
    l | me | 4m30s

    NAME | WEBHOOKS | AGE
    w | 2 | 4m30s

    NAME | CREATED AT
    rollouts.x | 2026-01-01T11:55:30Z

    NAME | MIN AVAILABLE | MAX UNAVAILABLE | ALLOWED DISRUPTIONS | AGE
    p | N/A | 30% | 0 | 4m30s

    NAME | REFERENCE | TARGETS | MINPODS | MAXPODS | REPLICAS | AGE
    h | Deployment/web | cpu: <unknown>/80% | 1 | 3 | 0 | 4m30s
    ");
}
