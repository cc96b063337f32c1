//! Conversion of an object between the versions of its type: by name only, or by the definition's conversion webhook.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::Server;
use super::registry::definition_of;
use super::types::TypeInfo;
use crate::admission::webhook;
use crate::apply::record;
use crate::object;
use crate::status::Status;
use crate::store::Stored;

/// How long a conversion webhook may take.
const PATIENCE: Duration = Duration::from_secs(30);

impl Server {
    /// An object of `kind`'s collection in another of its versions, given in any of them.
    ///
    /// # Errors
    /// When the conversion webhook fails.
    pub async fn convert(&self, kind: &TypeInfo, object: Value, version: &str) -> Result<Value, Status> {
        let mut converted = self.convert_all(kind, vec![object], version).await?;
        converted
            .pop()
            .ok_or_else(|| Status::internal("conversion gave no object back"))
    }

    /// Several objects at once, in one question to the webhook.
    ///
    /// # Errors
    /// When the conversion webhook fails.
    pub async fn convert_all(
        &self,
        kind: &TypeInfo,
        mut objects: Vec<Value>,
        version: &str,
    ) -> Result<Vec<Value>, Status> {
        let wanted = if kind.resource.group.is_empty() {
            version.to_owned()
        } else {
            format!("{}/{version}", kind.resource.group)
        };
        let foreign: Vec<usize> = (0..objects.len())
            .filter(|index| objects[*index]["apiVersion"] != json!(wanted))
            .collect();
        if foreign.is_empty() {
            return Ok(objects);
        }
        let conversion = self.conversion(kind);
        if conversion["strategy"] != "Webhook" {
            for index in foreign {
                objects[index]["apiVersion"] = json!(wanted);
            }
            return Ok(objects);
        }
        let mut asked: Vec<Value> = foreign.iter().map(|index| objects[*index].clone()).collect();
        asked.iter_mut().for_each(record::unpack);
        let answers = self.ask_conversion(kind, &conversion, &asked, &wanted).await?;
        for (index, mut answer) in foreign.into_iter().zip(answers) {
            // Of the metadata a converter may only change labels and annotations; whatever else it says or leaves out is as it was.
            let mut metadata = objects[index]["metadata"].take();
            let known = object::entry(&mut metadata, &[]);
            for field in ["labels", "annotations"] {
                match answer["metadata"].get(field) {
                    Some(value) => known.insert(field.to_owned(), value.clone()),
                    None => known.remove(field),
                };
            }
            answer["metadata"] = metadata;
            objects[index] = answer;
        }
        Ok(objects)
    }

    /// The CustomResourceDefinition of a custom type.
    pub fn definition(&self, kind: &TypeInfo) -> Option<Arc<Stored>> {
        if !kind.custom {
            return None;
        }
        self.store().get(&definition_of(&kind.resource.storage()))
    }

    fn conversion(&self, kind: &TypeInfo) -> Value {
        let definition = self.definition(kind);
        definition.map_or(Value::Null, |definition| definition.value["spec"]["conversion"].clone())
    }

    async fn ask_conversion(
        &self,
        kind: &TypeInfo,
        conversion: &Value,
        objects: &[Value],
        wanted: &str,
    ) -> Result<Vec<Value>, Status> {
        let from = objects
            .first()
            .map(|object| object::text(object, &["apiVersion"]))
            .unwrap_or_default();
        let failed = |why: &dyn std::fmt::Display| {
            Status::unforeseen(format!(
                "conversion webhook for {from}, Kind={} failed: {why}",
                kind.resource.kind
            ))
        };
        let uid = self.review_uid();
        let versions = object::items(conversion, &["webhook", "conversionReviewVersions"]);
        let version = versions
            .iter()
            .filter_map(Value::as_str)
            .find(|version| ["v1", "v1beta1"].contains(version))
            .unwrap_or("v1");
        let review = json!({
            "kind": "ConversionReview", "apiVersion": format!("apiextensions.k8s.io/{version}"),
            "request": { "uid": uid, "desiredAPIVersion": wanted, "objects": objects },
        });
        let address = webhook::address(&conversion["webhook"]["clientConfig"], PATIENCE);
        let answer = webhook::post(self.env(), &address, PATIENCE, &review)
            .await
            .map_err(|why| failed(&why))?;
        let response = &answer["response"];
        if object::text(response, &["uid"]) != uid {
            return Err(failed(&"the answer has another uid than the question"));
        }
        if response["result"]["status"] != "Success" {
            return Err(failed(&object::text(response, &["result", "message"])));
        }
        let converted = object::items(response, &["convertedObjects"]);
        if converted.len() != objects.len() {
            let why = format!("expected {} converted objects, got {}", objects.len(), converted.len());
            return Err(failed(&why));
        }
        for (object, asked) in converted.iter().zip(objects) {
            if object["apiVersion"] != json!(wanted) {
                let why = format!(
                    "invalid groupVersion (expected {wanted}, received {})",
                    object::text(object, &["apiVersion"])
                );
                return Err(failed(&why));
            }
            for field in ["name", "namespace", "uid"] {
                if object["metadata"].get(field) != asked["metadata"].get(field) {
                    return Err(failed(&format!("must not change metadata.{field}")));
                }
            }
        }
        Ok(converted.to_vec())
    }
}
