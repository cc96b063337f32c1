//! The release plan of a Rollout, read once and without options: which style, which steps, which routes. What the deciding code works with. A
//! plan that exists has quantities that can be computed; whether it is a sensible one is [`crate::validate`]'s business.

mod analysis;

use std::time::Duration;

use crate::field_error::FieldError;
use crate::names::{DEFAULT_GRACE_SECONDS, annotation};
use crate::parts::{HeaderModifier, IntOrString, ObjectReference, PodTemplateMetadataPatch};
use crate::quantity::{self, Weight};
use crate::v1beta1::{self, RouteMatch, TrafficRoutingRef};

pub use analysis::{Analysis, Background};

/// What a Rollout wants, in full.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The workload, in the Rollout's namespace.
    pub workload: ObjectReference,
    /// How new pods come about.
    pub strategy: Strategy,
    /// The steps, in order; never empty. Those that a promotion adds stand after the Rollout's own.
    pub steps: Vec<Step>,
    /// Where traffic is split, when it is.
    pub routing: Option<Routing>,
    /// Updated pods that may be unready; none when the Rollout does not say.
    pub failure_threshold: Option<IntOrString>,
    /// Name of the TrafficRouting that the release uses, by field or by annotation.
    pub traffic_routing: Option<String>,
    /// What is measured all along.
    pub background: Option<Background>,
    /// A rollback walks the steps, too.
    pub rollback_in_batch: bool,
    /// Progress is held.
    pub paused: bool,
    /// The workload is to be left alone.
    pub disabled: bool,
}

/// How new pods come about.
#[derive(Clone, Debug, PartialEq)]
pub enum Strategy {
    /// New pods beside the old ones, in growing parts.
    Canary(Canary),
    /// A full second set of pods.
    BlueGreen,
}

/// The parts of a canary strategy that blue-green does not have.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Canary {
    /// The new pods are made in a workload of their own. Only ever so for apps/v1 Deployments.
    pub extra_workload: bool,
    /// Labels and annotations for the new pods.
    pub pod_patch: PodTemplateMetadataPatch,
}

/// The style as a word, for comparing and for BatchReleases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// In a workload of their own.
    Canary,
    /// In place.
    Partition,
    /// Beside all old ones.
    BlueGreen,
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Pods of the new version, in all.
    pub replicas: IntOrString,
    /// Which requests go to the new version; a step without takes routing away.
    pub route: Option<Route>,
    /// Changes to the headers of those requests.
    pub header_modifier: Option<HeaderModifier>,
    /// How the step ends.
    pub pause: Pause,
    /// What must be found good before the step may end.
    pub gate: Option<Analysis>,
    /// Whose step it is.
    pub stage: Stage,
}

/// Whose step a step is: the Rollout's, or one that its promotion has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    /// One that the Rollout lists.
    #[default]
    Own,
    /// As the last one that is listed, until `prePromotionAnalysis` is successful.
    BeforePromotion,
    /// The new version serves everything, and the version before stands by, until `postPromotionAnalysis` is successful.
    AfterPromotion {
        /// How many seconds it lasts; nothing is until the analysis ends by itself.
        bake: Option<u32>,
    },
}

/// Which requests go to the new version.
#[derive(Clone, Debug, PartialEq)]
pub enum Route {
    /// A share of all.
    Weight(Weight),
    /// Those that match one of these.
    Matches(Vec<RouteMatch>),
}

/// How a step ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    /// Somebody must approve.
    Manual,
    /// After this many seconds; zero is at once.
    For(u32),
    /// When the step's gate is found good. Only of a step that has one.
    UntilAnalysis,
}

/// Where traffic is split.
#[derive(Clone, Debug, PartialEq)]
pub struct Routing {
    /// The stable Service.
    pub service: String,
    /// Seconds as written; see [`Routing::grace`] and [`Routing::closing_grace`].
    pub grace_seconds: i32,
    /// What stands in front of the Service, in the order in which it is edited.
    pub routers: Vec<Router>,
    /// Whether `<service>-canary` is made.
    pub canary_service: bool,
}

/// One object in front of a Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Router {
    /// Objects edited by scripts.
    Custom(Vec<ObjectReference>),
    /// An Ingress, and the class of controller that serves it (`nginx` when the Rollout does not say).
    Ingress {
        /// Which script or adapter.
        class: String,
        /// Name of the Ingress.
        name: String,
    },
    /// A Gateway API HTTPRoute.
    HttpRoute {
        /// Name of the HTTPRoute.
        name: String,
    },
    /// A Gateway API GRPCRoute.
    GrpcRoute {
        /// Name of the GRPCRoute.
        name: String,
    },
}

impl Plan {
    /// Reads the plan of a Rollout.
    ///
    /// # Errors
    /// Every field that cannot be read, with its path.
    pub fn of(rollout: &v1beta1::Rollout) -> Result<Self, Vec<FieldError>> {
        let spec = &rollout.spec;
        let (strategy, steps, blocks, routings, failure_threshold, routing_ref, no_canary_service, path) =
            match (&spec.strategy.canary, &spec.strategy.blue_green) {
                (Some(_), Some(_)) => {
                    return Err(vec![FieldError::forbidden(
                        "spec.strategy",
                        "canary and blueGreen cannot both be set; keep one",
                    )]);
                }
                (None, None) => {
                    return Err(vec![FieldError::required(
                        "spec.strategy",
                        "canary and blueGreen cannot both be empty; give one",
                    )]);
                }
                (Some(canary), None) => (
                    Strategy::Canary(Canary {
                        extra_workload: canary.enable_extra_workload_for_canary == Some(true)
                            && is_native_deployment(&spec.workload_ref),
                        pod_patch: canary.patch_pod_template_metadata.clone().unwrap_or_default(),
                    }),
                    &canary.steps,
                    [
                        &canary.analysis,
                        &canary.pre_promotion_analysis,
                        &canary.post_promotion_analysis,
                    ],
                    &canary.traffic_routings,
                    &canary.failure_threshold,
                    &canary.traffic_routing_ref,
                    canary.disable_generate_canary_service,
                    "spec.strategy.canary",
                ),
                (None, Some(blue_green)) => (
                    Strategy::BlueGreen,
                    &blue_green.steps,
                    [
                        &blue_green.analysis,
                        &blue_green.pre_promotion_analysis,
                        &blue_green.post_promotion_analysis,
                    ],
                    &blue_green.traffic_routings,
                    &blue_green.failure_threshold,
                    &blue_green.traffic_routing_ref,
                    blue_green.disable_generate_canary_service,
                    "spec.strategy.blueGreen",
                ),
            };
        let mut errors = Vec::new();
        let [all_along, before, after] = blocks;
        let mut steps = read_steps(steps.as_deref().unwrap_or_default(), path, &mut errors);
        if let Some(IntOrString::String(text)) = failure_threshold
            && let Err(error) = quantity::percent(text)
        {
            errors.push(FieldError::invalid(
                format!("{path}.failureThreshold"),
                text.as_str(),
                error.to_string(),
            ));
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let routing = routings
            .iter()
            .flatten()
            .next()
            .map(|routing| Routing::of(routing, no_canary_service != Some(true)));
        analysis::promote(&mut steps, before.as_ref(), after.as_ref(), routing.is_some());
        let annotations = rollout.metadata.annotations.as_ref();
        let annotated = |key: &str| {
            annotations
                .and_then(|all| all.get(key))
                .filter(|value| !value.is_empty())
        };
        Ok(Self {
            workload: spec.workload_ref.clone(),
            strategy,
            steps,
            routing,
            failure_threshold: failure_threshold.clone(),
            traffic_routing: annotated(annotation::TRAFFIC_ROUTING)
                .or(routing_ref.as_ref().filter(|name| !name.is_empty()))
                .cloned(),
            background: all_along.as_ref().and_then(Background::of),
            rollback_in_batch: annotated(annotation::ROLLBACK_IN_BATCH).is_some_and(|value| value == "true"),
            paused: spec.strategy.paused == Some(true),
            disabled: spec.disabled == Some(true),
        })
    }

    /// The style that is in effect.
    pub fn style(&self) -> Style {
        match &self.strategy {
            Strategy::BlueGreen => Style::BlueGreen,
            Strategy::Canary(canary) if canary.extra_workload => Style::Canary,
            Strategy::Canary(_) => Style::Partition,
        }
    }

    /// The step with a number from 1.
    pub fn step(&self, number: i32) -> Option<&Step> {
        usize::try_from(number)
            .ok()?
            .checked_sub(1)
            .and_then(|index| self.steps.get(index))
    }

    /// How many steps there are, those of the promotion included.
    pub fn step_count(&self) -> i32 {
        i32::try_from(self.steps.len()).unwrap_or(i32::MAX)
    }

    /// The number of the last step that the Rollout lists.
    pub fn last_own_step(&self) -> i32 {
        let own = self.steps.iter().filter(|step| step.stage == Stage::Own).count();
        i32::try_from(own).unwrap_or(i32::MAX)
    }

    /// The value of `nextStepIndex` when nobody has asked for a jump: the following step, or -1 at the last one.
    pub fn default_next(&self, current: i32) -> i32 {
        if current >= 1 && current < self.step_count() {
            current + 1
        } else {
            -1
        }
    }
}

impl Step {
    /// Pods of the new version for a workload of `total`. A plan's quantities are readable, so this always has an answer.
    pub fn pods(&self, total: i32) -> i32 {
        quantity::scaled(&self.replicas, total).unwrap_or(0)
    }

    /// Whether the step says exactly "100%" of the pods, which ends a canary release without asking.
    pub fn is_all(&self) -> bool {
        self.replicas == IntOrString::String("100%".to_owned())
    }
}

impl Routing {
    /// Reads an entry of `trafficRoutings`; `canary_service` tells whether a Service of its own is made for the new version.
    pub fn of(routing: &TrafficRoutingRef, canary_service: bool) -> Self {
        let mut routers = Vec::new();
        if let Some(objects) = &routing.custom_network_refs {
            routers.push(Router::Custom(objects.clone()));
        }
        if let Some(ingress) = &routing.ingress {
            let class = ingress
                .class_type
                .as_deref()
                .filter(|class| !class.is_empty())
                .unwrap_or("nginx");
            routers.push(Router::Ingress {
                class: class.to_owned(),
                name: ingress.name.clone(),
            });
        }
        if let Some(gateway) = &routing.gateway {
            let named = |name: &Option<String>| name.clone().filter(|name| !name.is_empty());
            routers.extend(named(&gateway.http_route_name).map(|name| Router::HttpRoute { name }));
            routers.extend(named(&gateway.grpc_route_name).map(|name| Router::GrpcRoute { name }));
        }
        Self {
            service: routing.service.clone(),
            grace_seconds: routing.grace_period_seconds.unwrap_or(DEFAULT_GRACE_SECONDS),
            routers,
            canary_service,
        }
    }

    /// Time that the data plane is given while steps are walked: what is not positive counts as the default.
    pub fn grace(&self) -> Duration {
        let seconds = if self.grace_seconds > 0 {
            self.grace_seconds
        } else {
            DEFAULT_GRACE_SECONDS
        };
        Duration::from_secs(seconds.unsigned_abs().into())
    }

    /// Time that the data plane is given while cleaning up: zero is honoured.
    pub fn closing_grace(&self) -> Duration {
        Duration::from_secs(self.grace_seconds.max(0).unsigned_abs().into())
    }
}

/// Whether the canary's pods could be made in a workload of their own.
pub(crate) fn is_native_deployment(workload: &ObjectReference) -> bool {
    workload.api_version == "apps/v1" && workload.kind == "Deployment"
}

fn read_steps(steps: &[v1beta1::Step], path: &str, errors: &mut Vec<FieldError>) -> Vec<Step> {
    if steps.is_empty() {
        errors.push(FieldError::required(
            format!("{path}.steps"),
            "a release needs at least one step",
        ));
    }
    steps
        .iter()
        .enumerate()
        .filter_map(|(index, step)| read_step(step, &format!("{path}.steps[{index}]"), errors))
        .collect()
}

fn read_step(step: &v1beta1::Step, path: &str, errors: &mut Vec<FieldError>) -> Option<Step> {
    let before = errors.len();
    if step.replicas.is_none() {
        errors.push(FieldError::required(
            format!("{path}.replicas"),
            "replicas cannot be empty",
        ));
    }
    if let Some(IntOrString::String(text)) = &step.replicas
        && let Err(error) = quantity::percent(text)
    {
        errors.push(FieldError::invalid(
            format!("{path}.replicas"),
            text.as_str(),
            error.to_string(),
        ));
    }
    let matches = step.matches.as_ref().filter(|matches| !matches.is_empty());
    let route = match (matches, &step.traffic) {
        (Some(matches), _) => Some(Route::Matches(matches.clone())),
        (None, Some(traffic)) => match Weight::parse(traffic) {
            Ok(weight) => Some(Route::Weight(weight)),
            Err(error) => {
                errors.push(FieldError::invalid(
                    format!("{path}.traffic"),
                    traffic.as_str(),
                    error.to_string(),
                ));
                None
            }
        },
        (None, None) => None,
    };
    let gate = step.analysis.as_ref().and_then(Analysis::of);
    let pause = step.pause.clone().unwrap_or_default();
    let pause = match (pause.until_analysis, pause.duration) {
        (Some(true), _) if gate.is_some() => Pause::UntilAnalysis,
        // A gate that was pruned away leaves the step to a person.
        (Some(true), _) | (_, None) => Pause::Manual,
        (_, Some(seconds)) => Pause::For(seconds.max(0).unsigned_abs()),
    };
    (errors.len() == before).then(|| Step {
        replicas: step.replicas.clone().unwrap_or_default(),
        route,
        header_modifier: step.request_header_modifier.clone(),
        pause,
        gate,
        stage: Stage::Own,
    })
}
