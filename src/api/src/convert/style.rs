//! How each version says which style a release has, and which TrafficRouting it uses: annotations, or fields.

use serde::{Deserialize, Serialize};

use super::lens::Annotations;
use crate::names::annotation::{ROLLING_STYLE, TRAFFIC_ROUTING};

/// The v1alpha1 way to say which style, and which TrafficRouting: annotations.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct AlphaStyle {
    pub(super) rolling_style: Option<String>,
    pub(super) traffic_routing: Option<String>,
}

/// The v1beta1 way: fields, and annotations that may be there all the same.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct BetaStyle {
    pub(super) annotated: AlphaStyle,
    pub(super) extra_workload: Option<bool>,
    pub(super) traffic_routing_ref: Option<String>,
}

impl AlphaStyle {
    pub(super) fn of(annotations: &Annotations) -> Self {
        Self {
            rolling_style: annotations.get(ROLLING_STYLE).cloned(),
            traffic_routing: annotations.get(TRAFFIC_ROUTING).cloned(),
        }
    }

    pub(super) fn write(&self, annotations: &mut Annotations) {
        for (key, value) in [
            (ROLLING_STYLE, &self.rolling_style),
            (TRAFFIC_ROUTING, &self.traffic_routing),
        ] {
            match value {
                Some(value) => annotations.insert(key.to_owned(), value.clone()),
                None => annotations.remove(key),
            };
        }
    }
}

pub(super) fn style_to_beta(style: &AlphaStyle) -> BetaStyle {
    let partition = style
        .rolling_style
        .as_ref()
        .is_some_and(|word| word.eq_ignore_ascii_case("partition"));
    BetaStyle {
        annotated: style.clone(),
        extra_workload: Some(!partition),
        traffic_routing_ref: style.traffic_routing.clone().filter(|name| !name.is_empty()),
    }
}

pub(super) fn style_to_alpha(style: &BetaStyle) -> AlphaStyle {
    let word = if style.extra_workload == Some(true) {
        "canary"
    } else {
        "partition"
    };
    let reference = style.traffic_routing_ref.clone().filter(|name| !name.is_empty());
    AlphaStyle {
        rolling_style: Some(word.to_owned()),
        traffic_routing: reference.or_else(|| style.annotated.traffic_routing.clone()),
    }
}
