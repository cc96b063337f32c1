//! What a real kubectl sends, and what nobody should.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rstest::rstest;
use serde_json::{Value, json};

use super::{numbers, read};

fn sent(text: &str) -> Result<Value, String> {
    read(&STANDARD.decode(text).expect("base64"))
}

/// `kubectl create …`, version 1.32, as it went over the wire.
#[rstest]
#[case::deployment(
    "azhzAAoVCgdhcHBzL3YxEgpEZXBsb3ltZW50EroBCh8KA3R3bxIAGgAiACoAMgA4AEIAWgoKA2FwcBIDdHdvEogBCAASDAoKCgNhcHASA3R3bxpuChwKABIAGgAiACoAMgA4AEIAWgoKA2FwcBIDdHdvEk4SMAoFbmdpbngSB25naW54OjEqADIKCgAQABhQIgAqAEIAagByAIABAIgBAJABAKIBABoAMgBCAEoAUgBYAGAAaACCAQCKAQCaAQDCAQAiAgoAKAA4ABoMCAAQABgAIAAoADgAGgAiAA==",
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "name": "two", "labels": { "app": "two" } },
        "spec": {
            "replicas": 0, "selector": { "matchLabels": { "app": "two" } }, "strategy": {},
            "template": {
                "metadata": { "labels": { "app": "two" } },
                "spec": { "containers": [{
                    "name": "nginx", "image": "nginx:1", "ports": [{ "containerPort": 80 }], "resources": {},
                }] },
            },
        },
        "status": {},
    })
)]
#[case::secret(
    "azhzAAoMCgJ2MRIGU2VjcmV0Eh0KEQoBcxIAGgAiACoAMgA4AEIAEgYKAWESAWIaABoAIgA=",
    json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "s" }, "data": { "a": "Yg==" } })
)]
#[case::quota(
    "azhzAAoTCgJ2MRINUmVzb3VyY2VRdW90YRIwChEKAXESABoAIgAqADIAOABCABIZCgoKA2NwdRIDCgExCgsKBHBvZHMSAwoBMhoAGgAiAA==",
    json!({
        "apiVersion": "v1", "kind": "ResourceQuota", "metadata": { "name": "q" },
        "spec": { "hard": { "cpu": "1", "pods": "2" } }, "status": {},
    })
)]
#[case::service(
    "azhzAAoNCgJ2MRIHU2VydmljZRJjChsKAXMSABoAIgAqADIAOABCAFoICgNhcHASAXMSQAobCgc4MC04MDgwEgNUQ1AYUCIHCAAQkD8aACgAEggKA2FwcBIBcxoAIglDbHVzdGVySVA6AEIAUgBaAGAAaAAaAgoAGgAiAA==",
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": { "name": "s", "labels": { "app": "s" } },
        "spec": {
            "ports": [{ "name": "80-8080", "protocol": "TCP", "port": 80, "targetPort": 8080 }],
            "selector": { "app": "s" }, "type": "ClusterIP",
        },
        "status": { "loadBalancer": {} },
    })
)]
#[case::ingress(
    "azhzAAofChRuZXR3b3JraW5nLms4cy5pby92MRIHSW5ncmVzcxJAChEKAWkSABoAIgAqADIAOABCABInGiUKA2EuYhIeChwKGgoCL2MSDSILCgNzdmMSBAoAEFAaBUV4YWN0GgIKABoAIgA=",
    json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": { "name": "i" },
        "spec": { "rules": [{ "host": "a.b", "http": { "paths": [{
            "path": "/c", "pathType": "Exact", "backend": { "service": { "name": "svc", "port": { "number": 80 } } },
        }] } }] },
        "status": { "loadBalancer": {} },
    })
)]
fn what_kubectl_sends_is_read(#[case] body: &str, #[case] object: Value) {
    assert_eq!(sent(body), Ok(object));
}

#[rstest]
#[case::json(
    "e30=",
    "provided data does not appear to be a protobuf message, expected prefix [107, 56, 115, 0]"
)]
#[case::cut_short("azhzAAoMCgJ2MRIGU2VjcmV0Eh0KEQoB", "unexpected EOF")]
#[case::unknown_kind("azhzAAoMCgJ2MRIGU2VjcmVz", "no kind \"Secres\" is registered for version \"v1\"")]
#[case::long_number("azhzAP///////////////w==", "a number is too long")]
#[case::wrong_wire("azhzAAgB", "expected bytes, found Number(1)")]
fn what_makes_no_sense_is_refused(#[case] body: &str, #[case] why: &str) {
    assert_eq!(sent(body), Err(why.to_owned()));
}

/// Messages as Go writes them: a pointer that is set is sent, and what it points to may be zero.
#[rstest]
#[case::a_pointer_to_zero(
    "io.k8s.api.apps.v1.RollingUpdateDeployment",
    &[0x0a, 6, 0x08, 0, 0x10, 0, 0x1a, 0],
    json!({ "maxUnavailable": 0 })
)]
#[case::items_of_an_object(
    "io.k8s.api.core.v1.DownwardAPIProjection",
    &[0x0a, 3, 0x0a, 1, b'a'],
    json!({ "items": [{ "path": "a" }] })
)]
#[case::a_named_list("io.k8s.api.authorization.v1.ExtraValue", &[0x0a, 1, b'a'], json!(["a"]))]
fn a_message_is_read(#[case] name: &str, #[case] bytes: &[u8], #[case] value: Value) {
    assert_eq!(numbers::read(name, bytes), Ok(value));
}
