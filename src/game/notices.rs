//! Short messages on the screen, and the list of what is wrong with a scene that is being edited.

use bevy::prelude::*;

use super::{
    GameState,
    fading_lines::{LineStyle, add_lines},
    loading::problem_lines,
    theme,
};
use crate::{
    base::Status,
    platform::{
        SettingsFile,
        bindings::Action,
        flat::Pressed,
        headset::{HeadsetStatus, HeadsetWanted},
        panels::{PanelKind, ShownOn},
    },
    scene::SceneProblems,
    world::ImportFailed,
};

/// Shows notices, takes pictures on request.
pub(super) struct NoticesPlugin;

impl Plugin for NoticesPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Screenshots>()
            .add_message::<Notice>()
            .add_systems(Startup, spawn)
            .add_message::<ImportFailed>()
            .add_systems(Update, tell_failed_imports.before(NoticeSystems))
            .add_systems(
                Update,
                (tell_settings_status, tell_headset, take_screenshots, show_notices.in_set(NoticeSystems)).chain(),
            )
            .add_systems(Update, show_scene_problems.run_if(not(in_state(GameState::Loading))));
    }
}

/// Notices become lines on the screen.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct NoticeSystems;

/// Something to tell the player, once.
#[derive(Message, Clone, Debug, PartialEq, Eq)]
pub struct Notice(pub String);

/// Where the screenshot key puts its pictures.
#[derive(Resource, Clone, Debug, Default, PartialEq, Eq)]
pub struct Screenshots {
    pub folder: std::path::PathBuf,
}

const STYLE: LineStyle = LineStyle {
    shown_secs: 8.0,
    at_most: 4,
    text_px: 15.0,
    max_width_px: 820.0,
    padding_px: Vec2::new(16.0, 9.0),
    background: theme::INK,
    edge: theme::EDGE,
};

/// Whoever was in the headset a moment ago wants to know why no longer; whoever asks for it, why there is none.
fn tell_headset(
    status: Option<Res<HeadsetStatus>>,
    wanted: Option<Res<HeadsetWanted>>,
    mut pressed: MessageReader<Pressed>,
    mut notices: MessageWriter<Notice>,
    mut looks: Local<bool>,
) {
    let asked = pressed.read().any(|pressed| pressed.0 == Action::Headset);
    let Some(status) = status else { return };
    match &*status {
        HeadsetStatus::Lost(why) if status.is_changed() => {
            notices.write(Notice(format!("The headset is lost: {why}.")));
        }
        // Nobody can look again.
        HeadsetStatus::Absent(why) if asked && wanted.is_none() => {
            notices.write(Notice(format!("There is no headset: {why}")));
        }
        HeadsetStatus::Absent(why) if *looks => {
            notices.write(Notice(format!("There is no headset: {why}")));
        }
        HeadsetStatus::Sought if !*looks => {
            notices.write(Notice("A headset is looked for.".to_owned()));
        }
        _ => {}
    }
    *looks = matches!(*status, HeadsetStatus::Sought);
}

#[derive(Component)]
struct NoticeArea;
#[derive(Component)]
struct ProblemPanel;
#[derive(Component)]
struct ProblemText;

fn spawn(mut commands: Commands) {
    commands.spawn((
        NoticeArea,
        ShownOn(PanelKind::Words),
        Name::new("notices"),
        GlobalZIndex(20),
        Node {
            position_type: PositionType::Absolute,
            top: px(18),
            width: percent(100),
            flex_direction: FlexDirection::Column,
            align_items: AlignItems::Center,
            row_gap: px(8),
            ..default()
        },
    ));
    commands.spawn((
        ProblemPanel,
        ShownOn(PanelKind::Words),
        Name::new("scene problems"),
        GlobalZIndex(15),
        Visibility::Hidden,
        theme::panel(Node {
            position_type: PositionType::Absolute,
            left: px(18),
            bottom: px(18),
            max_width: px(760),
            padding: UiRect::all(px(16)),
            flex_direction: FlexDirection::Column,
            row_gap: px(8),
            ..default()
        }),
        children![
            theme::text("The scene file has problems; the last good scene stays.", 16.0, theme::WARNING),
            (ProblemText, theme::text("", 14.0, theme::TEXT)),
        ],
    ));
}

fn tell_settings_status(
    file: Option<Res<SettingsFile>>,
    mut told: Local<Option<String>>,
    mut notices: MessageWriter<Notice>,
) {
    let Some(file) = file else { return };
    if !file.is_changed() {
        return;
    }
    let news = match (&file.status, &file.notice) {
        (Status::Unavailable(reason), _) => Some(reason.clone()),
        (_, notice) => notice.clone(),
    };
    if news != *told {
        if let Some(news) = &news {
            notices.write(Notice(news.clone()));
        }
        *told = news;
    }
}

fn tell_failed_imports(mut failed: MessageReader<ImportFailed>, mut notices: MessageWriter<Notice>) {
    for ImportFailed { path, reason } in failed.read() {
        notices.write(Notice(format!("{} cannot be loaded: {reason}", path.display())));
    }
}

fn show_notices(
    mut commands: Commands,
    mut notices: MessageReader<Notice>,
    areas: Query<(Entity, Option<&Children>), With<NoticeArea>>,
) {
    let Ok((area, shown)) = areas.single() else { return };
    if !notices.is_empty() {
        let lines = notices.read().map(|Notice(words)| (words.clone(), theme::TEXT));
        add_lines(&mut commands, area, shown, &STYLE, lines);
    }
}

fn show_scene_problems(
    problems: Res<SceneProblems>,
    mut panels: Query<&mut Visibility, With<ProblemPanel>>,
    mut texts: Query<&mut Text, With<ProblemText>>,
) {
    let wanted = if problems.0.is_empty() { Visibility::Hidden } else { Visibility::Visible };
    for mut visibility in &mut panels {
        visibility.set_if_neq(wanted);
    }
    for mut text in &mut texts {
        text.set_if_neq(Text(problem_lines(&problems, 8)));
    }
}

/// The first free name `umwelt-NNNN.png` in the folder.
fn free_name(folder: &std::path::Path) -> Option<std::path::PathBuf> {
    (1..10_000).map(|number| folder.join(format!("umwelt-{number:04}.png"))).find(|path| !path.exists())
}

fn take_screenshots(
    mut commands: Commands,
    mut pressed: MessageReader<Pressed>,
    screenshots: Res<Screenshots>,
    mut notices: MessageWriter<Notice>,
) {
    use bevy::render::view::screenshot::{Screenshot, ScreenshotCaptured};

    if !pressed.read().any(|pressed| pressed.0 == Action::Screenshot) {
        return;
    }
    let Some(path) = free_name(&screenshots.folder) else {
        notices.write(Notice(format!("{} is full of pictures", screenshots.folder.display())));
        return;
    };
    commands.spawn(Screenshot::primary_window()).observe(
        move |shot: On<ScreenshotCaptured>, mut notices: MessageWriter<Notice>| {
            let saved = std::fs::create_dir_all(path.parent().unwrap_or(&path))
                .map_err(|error| error.to_string())
                .and_then(|()| {
                    let picture = shot.image.clone().try_into_dynamic().map_err(|error| error.to_string())?;
                    picture.to_rgb8().save(&path).map_err(|error| error.to_string())
                });
            notices.write(Notice(match saved {
                Ok(()) => format!("Saved {}", path.display()),
                Err(error) => format!("The picture could not be saved as {}: {error}", path.display()),
            }));
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_never_overwrite_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let first = free_name(folder.path()).unwrap();
        std::fs::write(&first, "").unwrap();
        assert!(free_name(folder.path()).unwrap().ends_with("umwelt-0002.png"));
    }
}
