//! Deployments: an edit or a publish does not reach the job that runs (S1-1, DOMAIN 2.5).

use super::stored;
use crate::configuration::Configuration;
use crate::dialect::managed::{fields, push, same_namespace};
use crate::document::Node;
use crate::operation::{Action, Change, Content, JobState, Place, Reach, Stage, Target};

/// What a job runs, and with what.
const CONTENT: &[&str] = &[
    "artifact",
    "batchResourceSetting",
    "deploymentTarget",
    "engineVersion",
    "executionMode",
    "flinkConf",
    "localVariables",
    "logging",
    "streamingResourceSetting",
];
const FIELDS: &[&str] = &[
    "artifact",
    "batchResourceSetting",
    "createdAt",
    "creator",
    "creatorName",
    "deploymentHasChanged",
    "deploymentId",
    "deploymentTarget",
    "description",
    "engineVersion",
    "executionMode",
    "flinkConf",
    "jobSummary",
    "labels",
    "localVariables",
    "logging",
    "modifiedAt",
    "modifier",
    "modifierName",
    "name",
    "namespace",
    "referencedDeploymentDraftId",
    "streamingResourceSetting",
    "workspace",
];

/// CreateDeployment: nothing starts by it.
pub(super) fn create<'d>(root: Node<'d>, target: &Target<'d>, stage: &mut Stage<'d>) {
    check(root, target, stage);
    stage.current.configuration_complete = true;
    let change = Change { content: true, reach: Reach::Nothing, ..Change::default() };
    push(stage, Action::Change(change), target, Place::Body(root));
}

/// UpdateDeployment and UpdateDeploymentByName.
pub(super) fn update<'d>(root: Node<'d>, target: &Target<'d>, stage: &mut Stage<'d>) {
    let mut before = Configuration::default();
    stored(stage).for_each(|map| before.overlay(map));
    stage.current.before = stage.facts.deployment.configuration.is_some().then_some(before);
    check(root, target, stage);
    let content = CONTENT.iter().find_map(|name| root.get(name));
    let reach = if content.is_some() { reach(stage) } else { Reach::Nothing };
    let change = Change { content: content.is_some(), reach, ..Change::default() };
    push(stage, Action::Change(change), target, Place::Body(content.unwrap_or(root)));
}

/// DeployDeploymentDraftAsync.
pub(super) fn publish<'d>(root: Node<'d>, target: &Target<'d>, stage: &mut Stage<'d>) {
    fields(root, "the body of a publish", &["deploymentDraftId", "deploymentTarget", "skipValidate"], stage);
    push(stage, Action::Publish(reach(stage)), target, Place::Body(root));
}

fn check<'d>(root: Node<'d>, target: &Target<'_>, stage: &mut Stage<'d>) {
    same_namespace(root.get("namespace"), &target.namespace, stage);
    fields(root, "a deployment", FIELDS, stage);
    let configuration = root.get("flinkConf").filter(Node::is_object);
    if let Some(configuration) = configuration {
        stage.current.configuration.overlay(configuration);
    }
    stage.content = Content {
        configuration,
        parallelism: parallelism(root),
        engine_version: root.get("engineVersion"),
        artifact: root.get("artifact"),
        ..Content::default()
    };
}

/// The number that a streaming job is asked to run with, below a deployment or the resource settings of a start.
pub(super) fn parallelism(settings: Node<'_>) -> Option<Node<'_>> {
    settings.path(&["streamingResourceSetting", "basicResourceSetting", "parallelism"])
}

/// What the job that runs now sees of it; where none is known to run, nothing.
fn reach(stage: &Stage<'_>) -> Reach {
    match stage.current.state {
        Some(JobState::Running | JobState::Starting | JobState::Restarting) => Reach::NextStart,
        _ => Reach::Nothing,
    }
}
