//! The echo server that every image runs: tells who answered, and what was asked.

use env::{Chance, HttpService, full};
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Map, Value, json};

use super::image::{Behaviour, behaviour, version};
use super::pen::Pen;
use crate::object;

/// The service of one container of a pod that has the address `ip`.
pub(super) fn service(pod: &Value, container: &Value, ip: &str, chance: Chance, pen: Pen) -> HttpService {
    let image = object::text(container, &["image"]).to_owned();
    let errors = match behaviour(&image) {
        Behaviour::Echo { errors } => errors,
        Behaviour::NeverReady | Behaviour::Crash => 0,
    };
    let name = object::name(pod).to_owned();
    let about = json!({
        "image": image, "version": version(&image), "pod": name, "namespace": object::namespace(pod),
        "node": object::text(pod, &["spec", "nodeName"]), "ip": ip,
    });
    HttpService::new(move |request| {
        let failing = errors > 0 && chance.below(100) < errors;
        let mut answer = about.clone();
        let mut headers = Map::new();
        for (header, value) in request.headers() {
            headers.insert(header.to_string(), json!(String::from_utf8_lossy(value.as_bytes())));
        }
        answer["path"] = json!(request.uri().path());
        answer["method"] = json!(request.method().as_str());
        answer["headers"] = Value::Object(headers);
        let mut response = Response::new(full(format!("{answer}\n")));
        if failing {
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        }
        let (method, path) = (request.method(), request.uri().path());
        pen.write(&format!("{method} {path} {}", response.status().as_u16()));
        let content = HeaderValue::from_static("application/json");
        response.headers_mut().insert(http::header::CONTENT_TYPE, content);
        for (header, text) in [("x-pod-name", &name), ("x-image", &image)] {
            if let Ok(value) = HeaderValue::from_str(text) {
                response.headers_mut().insert(header, value);
            }
        }
        async move { Ok(response) }
    })
}
