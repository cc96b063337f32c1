//! The article's manifests are read whole: nothing is lost on the way through our types, nor through the other version.

use rstest::rstest;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::convert::convert;
use crate::v1alpha1::{AnalysisTemplate, Rollout};
use crate::validate::{self, Limits};

const STEPS: &str = include_str!("../../../../fixtures/article/rollout-four-steps.yaml");
const WALK: &str = include_str!("../../../../fixtures/article/rollout.yaml");
const ANALYSIS: &str = include_str!("../../../../fixtures/article/analysis-template.yaml");

fn reread<T: DeserializeOwned + Serialize>(text: &str) -> Value {
    serde_json::to_value(serde_yaml::from_str::<T>(text).unwrap()).unwrap()
}

fn written(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap()
}

#[test]
fn the_types_drop_nothing() {
    assert_eq!(reread::<Rollout>(STEPS), written(STEPS));
    assert_eq!(reread::<Rollout>(WALK), written(WALK));
    assert_eq!(reread::<AnalysisTemplate>(ANALYSIS), written(ANALYSIS));
}

#[rstest]
#[case(STEPS)]
#[case(WALK)]
fn storing_as_v1beta1_drops_nothing_and_is_valid(#[case] text: &str) {
    let alpha = written(text);
    let beta = convert(&alpha, "rollouts.kruise.io/v1beta1").unwrap();
    assert_eq!(beta["spec"]["workloadRef"]["name"], "echoserver");
    assert_eq!(convert(&beta, "rollouts.kruise.io/v1alpha1").unwrap(), alpha);
    assert_eq!(validate::rollout(&alpha, None, &[], Limits::default()).unwrap(), vec![]);
    assert_eq!(validate::rollout(&beta, None, &[], Limits::default()).unwrap(), vec![]);
}

#[test]
fn an_edit_in_the_other_version_wins_and_the_rest_stays_as_written() {
    let mut beta = convert(&written(STEPS), "rollouts.kruise.io/v1beta1").unwrap();
    beta["spec"]["strategy"]["paused"] = true.into();
    beta["spec"]["workloadRef"]["name"] = "other".into();
    let alpha = convert(&beta, "rollouts.kruise.io/v1alpha1").unwrap();
    let mut expected = written(STEPS);
    expected["spec"]["strategy"]["paused"] = true.into();
    expected["spec"]["strategy"]["objectRef"]["workloadRef"]["name"] = "other".into();
    assert_eq!(alpha, expected);
}
