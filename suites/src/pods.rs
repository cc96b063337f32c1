//! What a scenario may ask of pods and answers: who runs what, and who serves whom.

use serde_json::Value;

use crate::object::{condition_is_true, number, text};
use crate::{Check, Failure, Question, Stage, timeouts};

/// How many answers must all come from one version.
const ANSWERS: u64 = 100;

impl Stage {
    /// The names of the pods that run `image` and are not on their way out, in order.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn pods_that_run(&self, image: &str) -> Result<Vec<String>, Failure> {
        Ok(self
            .pods(image)
            .await?
            .iter()
            .map(|pod| text(pod, "/metadata/name").to_owned())
            .collect())
    }

    /// How many pods run `image` and are ready.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn ready_pods(&self, image: &str) -> Result<usize, Failure> {
        let pods = self.pods(image).await?;
        Ok(pods.iter().filter(|pod| condition_is_true(pod, "Ready")).count())
    }

    /// Waits until no pod runs `image`.
    ///
    /// # Errors
    /// When one still does.
    pub async fn no_pod_runs(&self, image: &str) -> Result<(), Failure> {
        self.until(&format!("no pod runs {image}"), timeouts::CLEAN, || async {
            let pods = self.pods_that_run(image).await?;
            Ok(if pods.is_empty() {
                Ok(())
            } else {
                Err(format!("{} do", pods.join(", ")))
            })
        })
        .await
    }

    /// Waits until the workload runs `image` in all of its pods, by its own rolling update.
    ///
    /// # Errors
    /// When it does not come to that.
    pub async fn until_workload_runs(&self, image: &str) -> Result<(), Failure> {
        let workload = self.dialect().target().workload();
        self.until(&format!("the workload runs {image}"), timeouts::FINISH, || async {
            let found = self.read(&workload).await?;
            let wanted = number(&found, "/spec/replicas");
            let updated = number(&found, "/status/updatedReplicas");
            let all = number(&found, "/status/replicas");
            let available = number(&found, "/status/availableReplicas");
            let is_image = text(&found, "/spec/template/spec/containers/0/image") == image;
            Ok(
                if is_image && updated == wanted && all == wanted && available == wanted {
                    Ok(())
                } else {
                    Err(format!(
                        "{updated} of {wanted} pods are updated, {available} available, {all} in all"
                    ))
                },
            )
        })
        .await
    }

    /// Waits until every answer comes from `image`, then asks a hundred times more.
    ///
    /// # Errors
    /// When one does not.
    pub async fn all_answers_come_from(&self, image: &str) -> Result<(), Failure> {
        let question = self.question();
        let is_known = self.bed().split(question).is_some();
        if is_known {
            self.until(&format!("all traffic reaches {image}"), self.lag(), || async {
                let share = self.share_of(question, image).await.unwrap_or_default();
                Ok(if share > 1.0 - 1e-9 {
                    Ok(())
                } else {
                    Err(format!("{:.1} % does", share * 100.0))
                })
            })
            .await
            .map_err(|failure| Failure::new(Check::Weight, failure.message))?;
        }
        let count = || async move {
            let counted = self.0.probe.count(question, ANSWERS).await;
            if counted.by(image) == ANSWERS {
                return Ok(());
            }
            Err(format!(
                "{} of {ANSWERS} answers came from {image}; all are expected: {:?}",
                counted.by(image),
                counted.answered
            ))
        };
        if is_known {
            return count().await.map_err(|message| Failure::new(Check::Weight, message));
        }
        // Where nobody can look into the gateway, the answers tell when it has followed.
        self.until(&format!("all traffic reaches {image}"), self.lag(), || async {
            Ok(count().await)
        })
        .await
        .map_err(|failure| Failure::new(Check::Weight, failure.message))
    }

    /// Waits until `percent` of the answers to another question come from `image`.
    ///
    /// # Errors
    /// When they do not.
    pub async fn share_becomes(&self, question: &Question, image: &str, percent: u32) -> Result<(), Failure> {
        self.traffic_is(question, image, percent).await
    }

    async fn pods(&self, image: &str) -> Result<Vec<Value>, Failure> {
        let resource = self.kubernetes().resource("v1", "Pod").await?;
        let mut pods = self.kubernetes().list(&resource, Some(self.bed().namespace())).await?;
        pods.retain(|pod| {
            text(pod, "/spec/containers/0/image") == image && pod.pointer("/metadata/deletionTimestamp").is_none()
        });
        Ok(pods)
    }
}
