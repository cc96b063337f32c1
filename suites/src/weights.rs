//! A weight is asserted three ways: the route object, the exact probability where the gateway can tell it, and counting.

use std::time::Duration;

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
        let share = f64::from(percent) / 100.0;
        self.split_is(&image, share).await?;
        let counted = self.0.probe.count(&self.0.question, REQUESTS).await;
        judge(counted.by(&image), REQUESTS, share)
            .map_err(|message| Failure::new(Check::Weight, format!("{image}: {message}")))
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

    async fn split_is(&self, image: &str, share: f64) -> Result<(), Failure> {
        if self.0.bed.split(&self.0.question).is_none() {
            return self.wait_for_gateway().await;
        }
        self.until(
            &format!("the gateway gives {:.1} % to {image}", share * 100.0),
            self.lag(),
            || async {
                let found = self.share_of(&self.0.question, image).await.unwrap_or_default();
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

    /// Where nobody can look into the gateway, it gets its time.
    async fn wait_for_gateway(&self) -> Result<(), Failure> {
        let lag = self.0.bed.gateway_lag();
        if lag > Duration::ZERO {
            self.bed().env().sleep(lag).await;
        }
        Ok(())
    }
}
