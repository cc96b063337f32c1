//! A weight is asserted three ways: the route object, the exact probability where the gateway can tell it, and counting.

use crate::statistics::{REQUESTS, judge};
use crate::timeouts;
use crate::{Check, Failure, Question, Stage};

/// How far an exact probability may be from the weight: rounding only.
const ROUNDING: f64 = 1e-9;

impl Stage {
    /// Asserts that `percent` of the users reach the version that is being released.
    ///
    /// # Errors
    /// When one of the three ways says otherwise.
    pub async fn weight_is(&self, percent: u32) -> Result<(), Failure> {
        let image = self.0.image.lock().clone();
        let seen = self.observe().await?;
        if seen.weight != percent {
            return Err(Failure::new(
                Check::Weight,
                format!(
                    "the route object gives {} % to {image}; {percent} % are expected",
                    seen.weight
                ),
            ));
        }
        self.traffic_is(&self.0.question, &image, percent).await
    }

    /// Waits until the route object says `percent`, then asserts it.
    ///
    /// # Errors
    /// When it does not come to that, or the traffic says otherwise.
    pub async fn weight_becomes(&self, percent: u32) -> Result<(), Failure> {
        self.until_seen(&format!("the route gives {percent} %"), timeouts::STEP, |seen| {
            seen.weight == percent
        })
        .await?;
        self.weight_is(percent).await
    }

    /// The share of `image` as the gateway tells it; `None` where it cannot.
    pub async fn share_of(&self, question: &Question, image: &str) -> Option<f64> {
        let mut sum = 0.0;
        for share in self.0.bed.split(question)? {
            let revision = self.0.probe.revision(&share.pod).await;
            if revision.is_some_and(|revision| revision.image == image) {
                sum += share.probability;
            }
        }
        Some(sum)
    }

    /// Waits until the traffic of a question follows: by the exact split where the gateway tells it, and by counting answers.
    ///
    /// # Errors
    /// When it does not come to that within the gateway's time.
    pub(crate) async fn traffic_is(&self, question: &Question, image: &str, percent: u32) -> Result<(), Failure> {
        let share = f64::from(percent) / 100.0;
        let counts = || async move {
            let counted = self.0.probe.count(question, REQUESTS).await;
            judge(counted.by(image), REQUESTS, share)
                .map_err(|message| format!("{}: {image}: {message}", question.host))
        };
        if self.0.bed.split(question).is_some() {
            self.split_is(question, image, share).await?;
            return counts().await.map_err(|message| Failure::new(Check::Weight, message));
        }
        // Where nobody can look into the gateway, the answers tell when it has followed; before it knows the route there are none to count.
        self.until("the gateway answers", self.lag(), || async {
            Ok(self.0.probe.try_once(question).await.map(drop).map_err(|lost| lost.why))
        })
        .await?;
        self.until("the answers follow the weight", self.lag(), || async {
            Ok(counts().await)
        })
        .await
        .map_err(|failure| Failure::new(Check::Weight, failure.message))
    }

    async fn split_is(&self, question: &Question, image: &str, share: f64) -> Result<(), Failure> {
        self.until(
            &format!("the gateway gives {:.1} % to {image}", share * 100.0),
            self.lag(),
            || async {
                let found = self.share_of(question, image).await.unwrap_or_default();
                Ok(if (found - share).abs() < ROUNDING {
                    Ok(())
                } else {
                    Err(format!("it gives {:.3} %", found * 100.0))
                })
            },
        )
        .await
        .map_err(|failure| Failure::new(Check::Weight, failure.message))
    }
}
