//! A value that tells of its changes, like `tokio::sync::watch`, but with an order: waiters are woken in the order in which they waited.
//!
//! Tokio's own spreads its waiters at random over eight lists, so that one seed would not give one trace. Used by everything that follows a
//! revision, a standing or a switch.

use std::fmt;
use std::ops::Deref;
use std::pin::pin;
use std::sync::Arc;

use parking_lot::{MappedMutexGuard, Mutex, MutexGuard};
use tokio::sync::Notify;

struct State<T> {
    value: T,
    version: u64,
    senders: usize,
}

struct Shared<T> {
    state: Mutex<State<T>>,
    changed: Notify,
}

/// Sets the value. Clones set the same one.
pub struct Sender<T>(Arc<Shared<T>>);

/// Follows the value; remembers what it has seen.
pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
    seen: u64,
}

/// A look at the value. Holds a lock: do not keep it.
pub struct Ref<'a, T>(MappedMutexGuard<'a, T>);

/// Every sender is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sender of the value is gone")]
pub struct Closed;

/// A value with one sender and one receiver, which has seen it.
pub fn channel<T>(value: T) -> (Sender<T>, Receiver<T>) {
    let sender = Sender::new(value);
    let receiver = sender.subscribe();
    (sender, receiver)
}

impl<T> Deref for Ref<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> Shared<T> {
    fn look(&self) -> Ref<'_, T> {
        Ref(MutexGuard::map(self.state.lock(), |state| &mut state.value))
    }
}

impl<T> Sender<T> {
    /// A value that nobody follows yet.
    pub fn new(value: T) -> Self {
        let state = State {
            value,
            version: 0,
            senders: 1,
        };
        Self(Arc::new(Shared {
            state: Mutex::new(state),
            changed: Notify::new(),
        }))
    }

    /// Sets the value and wakes all who wait; the answer is the value before.
    pub fn send_replace(&self, value: T) -> T {
        let before = {
            let mut state = self.0.state.lock();
            state.version += 1;
            std::mem::replace(&mut state.value, value)
        };
        self.0.changed.notify_waiters();
        before
    }

    /// Lets `change` change the value, whoever else does so at the same time, and wakes all who wait when it says that it did.
    pub fn send_if_modified(&self, change: impl FnOnce(&mut T) -> bool) -> bool {
        let changed = {
            let mut state = self.0.state.lock();
            let changed = change(&mut state.value);
            state.version += u64::from(changed);
            changed
        };
        if changed {
            self.0.changed.notify_waiters();
        }
        changed
    }

    /// The value now.
    pub fn borrow(&self) -> Ref<'_, T> {
        self.0.look()
    }

    /// A receiver that has seen the value of now.
    pub fn subscribe(&self) -> Receiver<T> {
        Receiver {
            shared: self.0.clone(),
            seen: self.0.state.lock().version,
        }
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.0.state.lock().senders += 1;
        Self(self.0.clone())
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let left = {
            let mut state = self.0.state.lock();
            state.senders -= 1;
            state.senders
        };
        if left == 0 {
            self.0.changed.notify_waiters();
        }
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        Self {
            shared: self.shared.clone(),
            seen: self.seen,
        }
    }
}

impl<T> Receiver<T> {
    /// The value now, without having seen it.
    pub fn borrow(&self) -> Ref<'_, T> {
        self.shared.look()
    }

    /// The value now, and it counts as seen.
    pub fn borrow_and_update(&mut self) -> Ref<'_, T> {
        self.mark_unchanged();
        self.shared.look()
    }

    /// Takes what is there as seen.
    pub fn mark_unchanged(&mut self) {
        self.seen = self.shared.state.lock().version;
    }

    /// Waits until the value is as wanted; it may be so at once. Cancelling loses nothing.
    ///
    /// # Errors
    /// [`Closed`] when every sender is gone and the value is another.
    pub async fn wait_for(&mut self, wanted: impl Fn(&T) -> bool) -> Result<(), Closed> {
        loop {
            if wanted(&*self.borrow_and_update()) {
                return Ok(());
            }
            self.changed().await?;
        }
    }

    /// Waits until there is a value that has not been seen; it then counts as seen. Cancelling loses nothing.
    ///
    /// # Errors
    /// [`Closed`] when every sender is gone and nothing is unseen.
    pub async fn changed(&mut self) -> Result<(), Closed> {
        loop {
            let mut waiting = pin!(self.shared.changed.notified());
            // In the queue before looking, so that no change falls between.
            waiting.as_mut().enable();
            {
                let state = self.shared.state.lock();
                if state.version != self.seen {
                    self.seen = state.version;
                    return Ok(());
                }
                if state.senders == 0 {
                    return Err(Closed);
                }
            }
            waiting.await;
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sender({:?})", *self.borrow())
    }
}

impl<T: fmt::Debug> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Receiver({:?})", *self.borrow())
    }
}

impl<T: fmt::Debug> fmt::Debug for Ref<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    //! What those who follow a value rely on.

    use super::channel;

    #[tokio::test]
    async fn a_change_is_seen_once() {
        let (sender, mut receiver) = channel(1);
        sender.send_replace(2);
        assert_eq!(receiver.changed().await, Ok(()));
        assert_eq!(*receiver.borrow(), 2);
        drop(sender);
        assert!(receiver.changed().await.is_err());
    }

    #[tokio::test]
    async fn waiters_are_woken_in_the_order_in_which_they_came() {
        let (sender, receiver) = channel(0);
        let woken = std::sync::Arc::new(parking_lot::Mutex::new(Vec::new()));
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..20 {
            let (mut receiver, woken) = (receiver.clone(), woken.clone());
            tasks.spawn(async move {
                receiver.changed().await.expect("the sender lives");
                woken.lock().push(n);
            });
        }
        tokio::task::yield_now().await;
        sender.send_replace(1);
        while tasks.join_next().await.is_some() {}
        assert_eq!(*woken.lock(), (0..20).collect::<Vec<_>>());
    }
}
