//! Whether a window can be opened, on Linux.
//!
//! Bevy speaks X11 only, and panics where the server that `DISPLAY` names does not answer: so it is asked before. Sources: X(7),
//! "Display names"; `X11/Xtrans` for the places of the sockets.

use std::{
    env,
    net::{TcpStream, ToSocketAddrs as _},
    os::{
        linux::net::SocketAddrExt as _,
        unix::net::{SocketAddr, UnixStream},
    },
    time::Duration,
};

/// How long a server on another machine may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// The port of display 0.
const FIRST_PORT: u16 = 6000;

/// # Errors
/// - no window can be opened: why
pub fn find_display() -> Result<(), String> {
    let value = |name| env::var(name).ok().filter(|value| !value.is_empty());
    match value("DISPLAY") {
        Some(name) => reachable(&name),
        None if value("WAYLAND_DISPLAY").is_some() => {
            Err("Wayland alone is not spoken: start XWayland, so that DISPLAY is set".to_owned())
        }
        None => Err("DISPLAY is not set".to_owned()),
    }
}

/// Whether the X server of that name, `host:number.screen`, takes connections.
fn reachable(name: &str) -> Result<(), String> {
    let not_understood = || format!("DISPLAY is {name:?}, which names no display; `:0` would");
    let (host, number) = name.rsplit_once(':').ok_or_else(not_understood)?;
    let number: u16 = number.split('.').next().and_then(|number| number.parse().ok()).ok_or_else(not_understood)?;
    let answer = if host.is_empty() || host == "unix" {
        let path = format!("/tmp/.X11-unix/X{number}");
        UnixStream::connect(&path).or_else(|error| abstract_socket(&path).ok_or(error)).map(drop)
    } else {
        let port = FIRST_PORT.saturating_add(number);
        (host, port)
            .to_socket_addrs()
            .and_then(|mut addresses| addresses.next().ok_or_else(|| std::io::ErrorKind::NotFound.into()))
            .and_then(|address| TcpStream::connect_timeout(&address, PATIENCE))
            .map(drop)
    };
    answer.map_err(|error| format!("the display {name} does not answer ({error})"))
}

/// The same name outside of the file system, as X servers offer it.
fn abstract_socket(path: &str) -> Option<UnixStream> {
    UnixStream::connect_addr(&SocketAddr::from_abstract_name(path).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn a_display_that_answers_is_told_from_one_that_does_not() {
        let number = 40_000 + std::process::id() % 20_000;
        let name = format!(":{number}.0");
        let why = reachable(&name).expect_err("nobody is there");
        assert!(why.contains("does not answer"), "{why}");
        let address = SocketAddr::from_abstract_name(format!("/tmp/.X11-unix/X{number}")).expect("a name");
        let _server = UnixListener::bind_addr(&address).expect("an abstract socket");
        assert_eq!(reachable(&name), Ok(()));
    }

    #[test]
    fn what_names_no_display_is_told() {
        for name in ["nonsense", ":", ":x", "host:"] {
            assert!(reachable(name).expect_err("no display").contains("names no display"), "{name}");
        }
    }
}
