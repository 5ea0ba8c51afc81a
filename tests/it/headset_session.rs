//! The life of a session with a real runtime: ended and begun anew, begun late, lost, shown in the runtime's own window.
//!
//! As in `headset`, each test runs one of [`inside`] within the runtime's libraries.

use std::path::Path;

use crate::{
    headset::{TURN, in_monado},
    monado::{Monado, PATIENCE, Shown},
    x_display::XDisplay,
};

#[test]
fn a_session_that_the_runtime_ended_begins_anew_by_the_key_and_nothing_is_lost() {
    in_monado("headset_session::inside::the_session_ends_and_begins_anew");
}

#[test]
fn a_headset_that_comes_later_is_put_on_and_so_is_one_whose_runtime_came_back() {
    let _turn = TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let Some(mut server) = Monado::new() else { return };
    server.stop();
    server.run_inside("headset_session::inside::the_headset_comes_later");
}

#[test]
fn a_graphics_device_that_cannot_be_made_is_a_lack() {
    in_monado("headset_session::inside::the_device_cannot_be_made");
}

#[test]
fn a_runtime_that_dies_leaves_the_game_flat() {
    in_monado("headset_session::inside::the_runtime_dies");
}

/// `umwelt play --vr` itself, as the runtime's compositor shows it once the world is there, be it behind the panel that tells what is still
/// made ready.
#[test]
fn the_runtimes_own_window_shows_the_world_to_two_eyes() {
    let _turn = TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    // The runtime's window and the program's, each on a screen of its own: none covers the other.
    let (Some(headset), Some(desk)) = (XDisplay::new(), XDisplay::new()) else { return };
    let Some(server) = Monado::shown(Shown::On(headset.name())) else { return };
    let config = tempfile::tempdir().expect("a folder");
    let settings = "(resolution_percent: Some(25), headset: (comfort_chosen: true, render_scale_percent: 50))";
    std::fs::write(config.path().join("settings.ron"), settings).expect("settings");
    let said = config.path().join("said");
    let output = std::fs::File::create(&said).expect("a file");
    let mut play = server
        .command(Path::new(env!("CARGO_BIN_EXE_umwelt")))
        .args(["play", "tiny", "--vr"])
        .env("DISPLAY", desk.name())
        .env("UMWELT_CONFIG", config.path())
        .stdout(output.try_clone().expect("a file"))
        .stderr(output)
        .spawn()
        .expect("the program");
    let begun = std::time::Instant::now();
    let shown = loop {
        let picture = headset.photograph(SIZE);
        let ended = play.try_wait().expect("a state");
        if eyes(&picture).iter().all(|eye| colours(eye) > COLOURS) {
            break Some(picture);
        }
        if ended.is_some() || begun.elapsed() > 4 * PATIENCE {
            break None;
        }
        std::thread::sleep(std::time::Duration::from_secs(2));
    };
    let last = headset.photograph(SIZE);
    let _ = play.kill();
    let _ = play.wait();
    if let Some(folder) = std::env::var_os("UMWELT_TEST_PICTURES") {
        last.save(Path::new(&folder).join("runtime-window.png")).expect("saved");
    }
    let said = std::fs::read_to_string(said).unwrap_or_default();
    let shown = shown.unwrap_or_else(|| panic!("the runtime's window never showed a world; the program said:\n{said}"));
    // The same room from two places.
    let [left, right] = eyes(&shown);
    let apart = mean_difference(&left, &right);
    assert!(apart > 0.5, "both eyes have the same picture");
    let other = mean_difference(&left, &image::imageops::flip_vertical(&right));
    assert!(apart < 0.7 * other, "the eyes' pictures differ by {apart}, turned over by {other}");
    println!("two eyes, {} and {} colours, {apart:.1} levels apart", colours(&left), colours(&right));
}

/// Of Monado's window, pixels.
const SIZE: (u32, u32) = (960, 540);
/// A lit room has more than this; a panel before an empty sky has not.
const COLOURS: usize = 2000;
/// Left and right half.
fn eyes(picture: &image::RgbImage) -> [image::RgbImage; 2] {
    let half = picture.width() / 2;
    [0, half].map(|x| image::imageops::crop_imm(picture, x, 0, half, picture.height()).to_image())
}

fn colours(picture: &image::RgbImage) -> usize {
    picture.pixels().map(|pixel| pixel.0).collect::<std::collections::HashSet<_>>().len()
}

/// Per channel, levels of 255.
fn mean_difference(a: &image::RgbImage, b: &image::RgbImage) -> f64 {
    let sum: u64 = a.iter().zip(b.iter()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum as f64 / a.len() as f64
}

/// What runs inside the runtime's tree.
mod inside {
    use std::time::{Duration, Instant};

    use bevy::prelude::*;
    use umwelt::{
        app::{
            headless::headless_app_with,
            headset::{self, Headset, HeadsetChoice},
        },
        base::Tick,
        platform::{
            HeadsetEye,
            headset::{HeadsetStatus, HeadsetWanted},
        },
        world::{hand::Holding, player::Player},
    };

    use crate::{
        headset::inside::{Worn, at, held, take_a_mug, world},
        monado::{LateServer, Puppet, kill_server},
        physics::place,
    };

    fn status(worn: &Worn) -> HeadsetStatus {
        worn.app.world().resource::<HeadsetStatus>().clone()
    }

    fn eyes(worn: &mut Worn) -> usize {
        let world = worn.app.world_mut();
        world.query::<&HeadsetEye>().iter(world).count()
    }

    #[test]
    #[ignore = "run by the tests above, inside the runtime's libraries"]
    fn the_session_ends_and_begins_anew() {
        let mut worn = Worn::new();
        worn.puppet.head(at(0.4, 1.6, 0.2));
        worn.act();
        let (mug, ..) = take_a_mug(&mut worn);
        worn.frames(10);
        for round in 0..2 {
            let (feet, height) = (worn.feet(), place(&worn.app, mug).y);
            // The runtime ends the session that is asked to: STOPPING, IDLE, EXITING.
            worn.press_the_key();
            worn.until("the session is over", |worn| matches!(status(worn), HeadsetStatus::Absent(_)));
            assert!(!worn.tracking().worn && eyes(&mut worn) == 0);
            assert!(!worn.app.world().resource::<HeadsetWanted>().0);
            // Play goes on in the window.
            let ticks = worn.app.world().resource::<Tick>().0;
            worn.until("a second of play has gone by", |worn| worn.app.world().resource::<Tick>().0 > ticks + 60);
            assert!(worn.feet().distance(feet) < 0.01, "stood at {feet}, stands at {}", worn.feet());
            if round == 0 {
                assert_eq!(held(&mut worn), [mug], "the window's hand has it");
                assert!(worn.app.world().get::<Holding>(worn.player).is_some());
                let now = place(&worn.app, mug).y;
                assert!(now > height - 0.05, "it was {height} m high, and fell to {now} m");
            }
            // The key again.
            worn.press_the_key();
            worn.until_focused();
            assert_eq!(eyes(&mut worn), 2);
            assert!(worn.feet().distance(feet) < 0.05, "stood at {feet}, stands at {}", worn.feet());
            worn.assert_followed();
            assert!(worn.submitted().iter().all(|picture| picture.width() > 0));
        }
    }

    #[test]
    #[ignore = "run by the tests above, inside the runtime's libraries"]
    fn the_headset_comes_later() {
        let headset = headset::choose(HeadsetChoice::IfThere).expect("a window at least");
        assert!(matches!(&headset, Headset::Later(why) if why.contains("runtime")), "{headset:?}");
        let (app, player) = world(&headset, |_: &mut App| {});
        let mut worn = Worn { app, player, puppet: Puppet::absent() };
        worn.frames(10);
        assert!(matches!(status(&worn), HeadsetStatus::Absent(_)));
        let mug = worn.app.world_mut().spawn_empty().id();

        // The key finds none, says so, and the wish is over.
        worn.press_the_key();
        worn.until("none was found", |worn| matches!(status(worn), HeadsetStatus::Absent(_)));
        assert!(!worn.app.world().resource::<HeadsetWanted>().0);

        // Its software is started, and the key pressed again: the same world, in the headset.
        let server = LateServer::start();
        worn.puppet = Puppet::connect();
        worn.press_the_key();
        worn.until_focused();
        worn.assert_followed();
        assert!(worn.feet().length() < 0.2 && worn.app.world().get_entity(mug).is_ok());

        // The runtime dies and comes back.
        drop(server);
        worn.until("it is lost", |worn| matches!(status(worn), HeadsetStatus::Lost(_)));
        worn.frames(10);
        let _server = LateServer::start();
        worn.puppet = Puppet::connect();
        worn.press_the_key();
        worn.until_focused();
        worn.assert_followed();
        println!("put on late, lost, and put on again: {}", status(&worn).text());
    }

    #[test]
    #[ignore = "run by the tests above, inside the runtime's libraries"]
    fn the_device_cannot_be_made() {
        let headset = headset::choose(HeadsetChoice::Forced).expect("a headset");
        kill_server();
        let app = headless_app_with(None, &headset).expect("a renderer");
        let lacking = headset::require_device(&app).expect_err("no runtime, no device");
        assert!(lacking.0.starts_with("--vr: "), "{lacking}");
        // Whoever did not insist plays in the window, and F3 says why.
        let status = app.world().resource::<HeadsetStatus>();
        assert!(matches!(status, HeadsetStatus::Absent(why) if why.contains("device")), "{status:?}");
    }

    #[test]
    #[ignore = "run by the tests above, inside the runtime's libraries"]
    fn the_runtime_dies() {
        let mut worn = Worn::new();
        worn.frames(5);
        let killed = Instant::now();
        kill_server();
        while worn.tracking().worn {
            assert!(killed.elapsed() < Duration::from_secs(2), "still in the headset");
            worn.app.update();
        }
        let took = killed.elapsed();
        assert!(took < Duration::from_secs(2), "{took:?}");
        let status = worn.app.world().resource::<HeadsetStatus>().clone();
        assert!(matches!(&status, HeadsetStatus::Lost(why) if why.contains("start it")), "{status:?}");
        // The game goes on.
        let ticks = worn.app.world().resource::<Tick>().0;
        worn.frames(30);
        std::thread::sleep(Duration::from_millis(100));
        worn.frames(30);
        assert!(worn.app.world().resource::<Tick>().0 > ticks);
        let world = worn.app.world_mut();
        assert_eq!(world.query::<&HeadsetEye>().iter(world).count(), 0);
        assert!(world.query_filtered::<(), With<Player>>().single(world).is_ok());
        println!("flat after {took:?}: {}", status.text());
    }
}
