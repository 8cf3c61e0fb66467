//! Virtual time, and the executor that runs on it: one thread, and nothing moves but by the queue of what is due.
//!
//! A future is polled when it was woken; when it was not, time jumps to the next thing that is due. Nothing due is a
//! run that would hang for ever, and is told as one.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use arcflux::http::Clock;
use async_trait::async_trait;
use jiff::Timestamp;

/// How often a future may be polled without time passing: more is a busy loop.
const POLLS_PER_INSTANT: u32 = 200_000;

/// How a future ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ended<T> {
    /// With this.
    Done(T),
    /// It was dropped where it stood.
    Killed,
    /// Nothing would ever have woken it.
    Hung,
    /// It never let go of the thread.
    Busy,
    /// It was still at work when its time was over.
    Late,
}

/// The time, shared by everybody who waits on it.
#[derive(Clone)]
pub(crate) struct Time(Arc<Mutex<Queue>>);

struct Queue {
    now: Timestamp,
    /// Numbers what is put in, so that of two things due at the same instant the first one in comes first.
    serial: u64,
    due: BinaryHeap<Reverse<(Timestamp, u64)>>,
    things: BTreeMap<u64, Thing>,
    is_stopped: bool,
}

enum Thing {
    Wake(Waker),
    Do(Box<dyn FnOnce() + Send>),
}

/// A wait, which is over at its deadline.
struct Sleep {
    time: Time,
    deadline: Timestamp,
    is_queued: bool,
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Time {
    pub(crate) fn starting_at(now: Timestamp) -> Self {
        let (due, things) = (BinaryHeap::new(), BTreeMap::new());
        Self(Arc::new(Mutex::new(Queue { now, serial: 0, due, things, is_stopped: false })))
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.lock().unwrap().now
    }

    pub(crate) fn after(&self, duration: Duration) -> Timestamp {
        self.now().checked_add(duration).unwrap_or(Timestamp::MAX)
    }

    /// Does something at an instant, whatever becomes of whoever asked for it.
    pub(crate) fn at(&self, instant: Timestamp, what: impl FnOnce() + Send + 'static) {
        self.put(instant, Thing::Do(Box::new(what)));
    }

    /// Kills what runs, before it is polled again.
    pub(crate) fn stop(&self) {
        self.0.lock().unwrap().is_stopped = true;
    }

    fn put(&self, instant: Timestamp, thing: Thing) {
        let mut queue = self.0.lock().unwrap();
        queue.serial += 1;
        let serial = queue.serial;
        queue.due.push(Reverse((instant, serial)));
        queue.things.insert(serial, thing);
    }

    /// Takes out the next thing due not after `deadline`, and moves the time to it.
    fn next(&self, deadline: Timestamp) -> Result<Thing, Ended<()>> {
        let mut queue = self.0.lock().unwrap();
        let Some(&Reverse((instant, serial))) = queue.due.peek() else { return Err(Ended::Hung) };
        if instant > deadline {
            return Err(Ended::Late);
        }
        queue.due.pop();
        queue.now = queue.now.max(instant);
        Ok(queue.things.remove(&serial).unwrap())
    }

    /// Runs `future` to its end, but not past `deadline`, and with no more than `polls` polls.
    pub(crate) fn run<T>(&self, future: impl Future<Output = T>, deadline: Timestamp, polls: Option<u64>) -> Ended<T> {
        let flag = Arc::new(Flag(AtomicBool::new(true)));
        let waker = Waker::from(Arc::clone(&flag));
        let mut context = Context::from_waker(&waker);
        let mut future = pin!(future);
        let mut left = polls;
        let mut at_once = 0;
        self.0.lock().unwrap().is_stopped = false;
        loop {
            while flag.0.swap(false, Ordering::Relaxed) {
                match &mut left {
                    Some(0) => return Ended::Killed,
                    Some(left) => *left -= 1,
                    None => {}
                }
                at_once += 1;
                if at_once > POLLS_PER_INSTANT {
                    return Ended::Busy;
                }
                if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
                    return Ended::Done(value);
                }
            }
            if self.0.lock().unwrap().is_stopped {
                return Ended::Killed;
            }
            let before = self.now();
            match self.next(deadline) {
                Ok(Thing::Wake(waker)) => waker.wake(),
                Ok(Thing::Do(what)) => what(),
                Err(Ended::Late) => return Ended::Late,
                Err(_) => return Ended::Hung,
            }
            if self.now() > before {
                at_once = 0;
            }
        }
    }

    /// Drops what is still due: what is due holds who put it in, and who put it in holds the time.
    pub(crate) fn clear(&self) {
        let things = std::mem::take(&mut self.0.lock().unwrap().things);
        drop(things);
    }

    /// Lets time pass with nobody at work.
    pub(crate) fn pass(&self, duration: Duration) {
        let until = self.after(duration);
        while let Ok(thing) = self.next(until) {
            match thing {
                Thing::Wake(waker) => waker.wake(),
                Thing::Do(what) => what(),
            }
        }
        let mut queue = self.0.lock().unwrap();
        queue.now = queue.now.max(until);
    }
}

#[async_trait]
impl Clock for Time {
    fn now(&self) -> Timestamp {
        Self::now(self)
    }

    async fn sleep(&self, duration: Duration) {
        Sleep { time: self.clone(), deadline: self.after(duration), is_queued: false }.await;
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.is_queued && self.time.now() >= self.deadline {
            return Poll::Ready(());
        }
        // Even a wait of no time lets go once.
        self.is_queued = true;
        self.time.put(self.deadline, Thing::Wake(context.waker().clone()));
        Poll::Pending
    }
}
