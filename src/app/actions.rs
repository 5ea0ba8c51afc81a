//! All that can be commanded, whichever mode the program runs in: scenes are checked alike everywhere.

use crate::{behaviours, game, scene::ActionRegistry, world};

/// The actions of all rooms, for commands that check scenes without an app, and for apps.
pub fn all_actions() -> ActionRegistry {
    let mut actions = ActionRegistry::default();
    world::register_actions(&mut actions);
    behaviours::register_actions(&mut actions);
    game::register_actions(&mut actions);
    actions
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::Parameter;

    #[test]
    fn there_are_many_actions_and_every_one_is_explained() {
        let actions = all_actions();
        assert!(actions.names().count() >= 22);
        for name in actions.names() {
            let shape = actions.get(name).expect("just listed");
            assert!(shape.about.ends_with('.'), "{name}: {:?}", shape.about);
            for parameter in shape.parameters {
                assert!(!matches!(parameter, Parameter::Choice(words) if words.is_empty()), "{name}");
            }
        }
        assert_eq!(actions.suggestion("Folow"), Some("Follow"));
    }
}
