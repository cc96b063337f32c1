//! BatchRelease, both ways. In v1alpha1 the style is an annotation first and a field second; in v1beta1 it is the field.

use serde::{Deserialize, Serialize};

use super::lens::{keep, put, restore, take};
use crate::names::annotation::{KEPT_FROM_V1ALPHA1, KEPT_FROM_V1BETA1, ROLLING_STYLE};
use crate::parts::RollingStyle;
use crate::v1alpha1::{self as alpha, ObjectRef};
use crate::v1beta1 as beta;

/// A style in one version: the annotation and the field.
type Style = (Option<String>, RollingStyle);

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    #[serde(skip_serializing_if = "Option::is_none")]
    style: Option<Style>,
}

pub(super) fn to_beta(release: &alpha::BatchRelease) -> beta::BatchRelease {
    let mut metadata = release.metadata.clone();
    let mut annotations = metadata.annotations.take().unwrap_or_default();
    let from_beta: Kept = take(&mut annotations, KEPT_FROM_V1BETA1);
    annotations.remove(KEPT_FROM_V1ALPHA1);
    let mut kept = Kept::default();
    let written = (
        annotations.get(ROLLING_STYLE).cloned(),
        release.spec.release_plan.rolling_style.clone(),
    );
    let (annotated, rolling_style) = restore(&written, from_beta.style.as_ref(), style_to_alpha).unwrap_or_else(|| {
        let (style, keep_style) = keep(&written, style_to_beta, style_to_alpha);
        kept.style = keep_style;
        style
    });
    annotate(&mut annotations, annotated);
    put(&mut annotations, KEPT_FROM_V1ALPHA1, &kept);
    metadata.annotations = (!annotations.is_empty()).then_some(annotations);
    beta::BatchRelease {
        metadata,
        spec: beta::BatchReleaseSpec {
            workload_ref: release.spec.target_reference.workload_ref.clone(),
            release_plan: beta::ReleasePlan {
                rolling_style,
                ..release.spec.release_plan.clone()
            },
        },
        status: release.status.clone(),
        ..beta::BatchRelease::default()
    }
}

pub(super) fn to_alpha(release: &beta::BatchRelease) -> alpha::BatchRelease {
    let mut metadata = release.metadata.clone();
    let mut annotations = metadata.annotations.take().unwrap_or_default();
    let from_alpha: Kept = take(&mut annotations, KEPT_FROM_V1ALPHA1);
    annotations.remove(KEPT_FROM_V1BETA1);
    let mut kept = Kept::default();
    let stored = (
        annotations.get(ROLLING_STYLE).cloned(),
        release.spec.release_plan.rolling_style.clone(),
    );
    let (annotated, rolling_style) = restore(&stored, from_alpha.style.as_ref(), style_to_beta).unwrap_or_else(|| {
        let (style, keep_style) = keep(&stored, style_to_alpha, style_to_beta);
        kept.style = keep_style;
        style
    });
    annotate(&mut annotations, annotated);
    put(&mut annotations, KEPT_FROM_V1BETA1, &kept);
    metadata.annotations = (!annotations.is_empty()).then_some(annotations);
    alpha::BatchRelease {
        metadata,
        spec: alpha::BatchReleaseSpec {
            target_reference: ObjectRef {
                workload_ref: release.spec.workload_ref.clone(),
            },
            release_plan: beta::ReleasePlan {
                rolling_style,
                ..release.spec.release_plan.clone()
            },
        },
        status: release.status.clone(),
        ..alpha::BatchRelease::default()
    }
}

fn annotate(annotations: &mut super::lens::Annotations, style: Option<String>) {
    match style {
        Some(style) => annotations.insert(ROLLING_STYLE.to_owned(), style),
        None => annotations.remove(ROLLING_STYLE),
    };
}

/// The annotation decides, whatever its case; the v1alpha1 field counts only where there is no annotation.
fn style_to_beta((annotated, field): &Style) -> Style {
    let style = match annotated.as_deref().map(str::to_lowercase).as_deref() {
        Some("partition") => RollingStyle::Partition,
        Some("canary") => RollingStyle::Canary,
        Some("bluegreen") => RollingStyle::BlueGreen,
        _ => field.clone(),
    };
    (annotated.clone(), style)
}

fn style_to_alpha((annotated, field): &Style) -> Style {
    let annotation = if field.is_empty() {
        annotated.clone()
    } else {
        Some(field.as_str().to_lowercase())
    };
    (annotation, field.clone())
}
