//! `pods/log`: the lines that a container wrote, all of them or the last ones, and those to come.

use std::time::Duration;

use serde_json::Value;

use super::request::{Answer, Answered, Request};
use super::{Server, Target};
use crate::logs::Line;
use crate::object;
use crate::status::Status;

/// The query of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogOptions {
    /// `container`; empty when the pod has only one.
    pub container: String,
    /// `tailLines`.
    pub tail: Option<usize>,
    /// `sinceSeconds`.
    pub since: Option<Duration>,
    /// `limitBytes`; not heeded together with `follow`.
    pub bytes: Option<usize>,
    /// `timestamps`.
    pub timestamps: bool,
    /// `previous`: refused where nothing ran before; the lines of all runs stand in one log.
    pub previous: bool,
    /// `follow`.
    pub follow: bool,
}

impl Server {
    pub(super) fn log(&self, request: &Request, target: &Target) -> Result<Answered, Status> {
        let place = &target.place;
        let pod = self
            .store()
            .get(place)
            .ok_or_else(|| Status::not_found(&place.storage, &place.name))?;
        let options = &request.options.log;
        let container = container(&pod.value, &options.container)?;
        if object::text(&pod.value, &["spec", "nodeName"]).is_empty() {
            return Ok(Answered::from(Answer::Text(String::new())));
        }
        refuse_unstarted(&pod.value, container, options.previous)?;
        let lines = self.logs().read(&pod.uid, container);
        let now = self.env().now();
        let recent = lines.iter().filter(|line| {
            options
                .since
                .is_none_or(|since| now.duration_since(line.at).unsigned_abs() <= since)
        });
        let mut texts: Vec<String> = recent.map(|line| shown(line, options.timestamps)).collect();
        if let Some(tail) = options.tail {
            texts.drain(..texts.len().saturating_sub(tail));
        }
        if options.follow {
            let after = lines.last().map_or(0, |line| line.number);
            return Ok(Answered::from(Answer::Follow {
                first: texts,
                rest: Box::new(self.logs().follow(&pod.uid, container, after, self.closing())),
                timestamps: options.timestamps,
            }));
        }
        let mut text = texts.concat();
        if let Some(limit) = options.bytes {
            let mut end = limit.min(text.len());
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            text.truncate(end);
        }
        Ok(Answered::from(Answer::Text(text)))
    }
}

/// One line as it is sent.
pub fn shown(line: &Line, timestamps: bool) -> String {
    if timestamps {
        format!("{} {}\n", line.at, line.text)
    } else {
        format!("{}\n", line.text)
    }
}

/// The container that is meant.
fn container<'a>(pod: &'a Value, asked: &str) -> Result<&'a str, Status> {
    let name = object::name(pod);
    let containers = object::items(pod, &["spec", "containers"]);
    let names: Vec<&str> = containers.iter().map(object::name_of_part).collect();
    match (asked, &names[..]) {
        ("", [only]) => Ok(only),
        ("", _) => Err(Status::bad_request(format!(
            "a container name must be specified for pod {name}, choose one of: [{}]",
            names.join(" ")
        ))),
        (asked, names) => names
            .iter()
            .find(|known| **known == asked)
            .copied()
            .ok_or_else(|| Status::bad_request(format!("container {asked} is not valid for pod {name}"))),
    }
}

fn refuse_unstarted(pod: &Value, container: &str, previous: bool) -> Result<(), Status> {
    let statuses = object::items(pod, &["status", "containerStatuses"]);
    let status = statuses.iter().find(|status| status["name"] == container);
    let status = status.unwrap_or(&Value::Null);
    let name = object::name(pod);
    let restarted = object::number(status, &["restartCount"]).unwrap_or(0) > 0;
    if previous && !restarted {
        return Err(Status::bad_request(format!(
            "previous terminated container {container:?} in pod {name:?} not found"
        )));
    }
    let waiting = object::text(status, &["state", "waiting", "reason"]);
    if !waiting.is_empty() && !object::at(status, &["lastState", "terminated"]).is_object() {
        return Err(Status::bad_request(format!(
            "container {container:?} in pod {name:?} is waiting to start: {waiting}"
        )));
    }
    Ok(())
}
