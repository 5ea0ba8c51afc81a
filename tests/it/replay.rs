//! Recorded input ends in the same world every time.

use std::sync::Arc;
use std::{
    path::{Path, PathBuf},
    process::Command,
};

use bevy::prelude::*;
use umwelt::{
    app::replay::{ReplayReport, replay},
    platform::{
        input_log::{HandInput, InputLog, TickInput},
        tracking::{Pose, Side},
    },
    world::{HandIntent, WalkIntent},
};

fn tiny() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/scenes/tiny.scene.ron")
}

/// Walks into the things of the room, jumps, reaches out.
fn restless(ticks: usize) -> InputLog {
    let ticks = (0..ticks)
        .map(|tick| {
            let yaw = 0.01 * tick as f32;
            let ray = Pose { position: Vec3::new(0.3, 1.1, 0.2), rotation: Quat::from_rotation_y(yaw) };
            TickInput {
                walk: WalkIntent { direction: Vec2::Y, run: tick % 90 > 45, jump: tick % 60 == 30, yaw, ..default() },
                hand: HandIntent { grab: tick % 50 > 10, ..default() },
                hands: vec![HandInput {
                    side: Side::Right,
                    palm: ray,
                    ray,
                    velocity: Vec3::X,
                    spin: Vec3::ZERO,
                    intent: HandIntent { grab: tick % 70 > 30, ..default() },
                }],
                ..default()
            }
        })
        .collect();
    InputLog { scene: "tiny.scene.ron".to_owned(), ticks, ..default() }
}

fn replay_tiny(log: &InputLog) -> ReplayReport {
    replay(&tiny(), &Arc::new(log.clone()), Path::new("no models")).unwrap()
}

#[test]
fn the_same_recording_gives_the_same_hash_and_another_one_another() {
    let log = restless(240);
    let first = replay_tiny(&log);
    assert!(first.bodies >= 5 && first.ticks == 240, "{first:?}");
    for _ in 0..2 {
        assert_eq!(replay_tiny(&log), first);
    }
    // Back from there on: a single different step may end at the same wall.
    let mut other = log;
    for tick in &mut other.ticks[100..] {
        tick.walk.direction = -tick.walk.direction;
    }
    let second = replay_tiny(&other);
    assert!(second.hash != first.hash && second.player != first.player, "{first:?} {second:?}");
}

#[test]
fn the_program_replays_a_file_and_names_what_is_wrong_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("input.jsonl");
    let run = |text: &str| {
        std::fs::write(&file, text).unwrap();
        Command::new(env!("CARGO_BIN_EXE_umwelt"))
            .args(["play", "tiny", "--headless", "--replay"])
            .arg(&file)
            .output()
            .unwrap()
    };
    let header = "{\"umwelt_input\": 1, \"scene\": \"tiny.scene.ron\"}\n";
    let walk = "{\"tick\": 0, \"walk\": {\"direction\": [0.0, 1.0]}, \"hand\": {}}\n{\"tick\": 60, \"walk\": {}, \"hand\": {}}\n";
    let hashes: Vec<String> = (0..2)
        .map(|_| {
            let output = run(&format!("{header}{walk}"));
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(answer["ticks"], 61);
            answer["hash"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(hashes[0], hashes[1]);
    let output = run(&format!("{header}nonsense\n"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && said.contains("input.jsonl:2"), "{said}");
}
