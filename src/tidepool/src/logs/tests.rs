//! Lines are bounded, and followed to their end.

use env::watch;
use jiff::Timestamp;

use super::{KEPT, LONGEST, Logs};

#[test]
fn only_the_last_lines_are_kept_and_none_is_endless() {
    let logs = Logs::default();
    for number in 0..KEPT + 5 {
        logs.write("uid", "c", Timestamp::UNIX_EPOCH, &number.to_string());
    }
    logs.write("uid", "c", Timestamp::UNIX_EPOCH, &"é".repeat(LONGEST));
    let lines = logs.read("uid", "c");
    assert_eq!((lines.len(), lines[0].text.as_str()), (KEPT, "6"));
    assert_eq!(lines[KEPT - 1].text.len(), LONGEST);
    assert_eq!(logs.read("uid", "other"), []);
}

#[test]
fn a_follower_sees_every_line_and_then_the_end() {
    env::sim::run(1, env::Trace::off(), |_| async move {
        let logs = Logs::default();
        let (_open, closing) = watch::channel(false);
        logs.write("uid", "c", Timestamp::UNIX_EPOCH, "one");
        logs.write("uid", "c", Timestamp::UNIX_EPOCH, "two");
        let mut following = logs.follow("uid", "c", 1, closing);
        assert_eq!(following.next().await.map(|line| line.text), Some("two".to_owned()));
        logs.write("uid", "other", Timestamp::UNIX_EPOCH, "no");
        logs.write("uid", "c", Timestamp::UNIX_EPOCH, "three");
        assert_eq!(following.next().await.map(|line| line.text), Some("three".to_owned()));
        logs.forget("uid");
        assert_eq!(following.next().await, None);
    });
}
