//! Chance, the network between processes and services, and the processes' condition.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep, timeout};

/// When a process gives a request up.
const REQUEST_FOR: Duration = Duration::from_secs(5);

/// SplitMix64, by Sebastiano Vigna: the same numbers for the same seed, whatever the version of any library.
#[derive(Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// Once in `n` times.
    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn millis(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.below(to - from))
    }
}

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Service {
    Store,
    Blobs,
    Log,
}

/// What happened, for a look and to compare runs.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) requests: u64,
    /// Requests or answers that did not arrive.
    pub(crate) lost: u64,
    /// Requests that arrived when nobody waited for them any more.
    pub(crate) late: u64,
    /// Writes of rows among these.
    pub(crate) late_rows: u64,
}

struct State {
    chance: Chance,
    /// How bad the network is: one request in so many meets something.
    trouble_one_in: u64,
    cut: BTreeSet<(u64, Service)>,
    counts: Counts,
    trace: DefaultHasher,
    is_told: bool,
}

/// The network of one run.
#[derive(Clone)]
pub(crate) struct Network {
    state: Arc<Mutex<State>>,
    began: Instant,
}

/// How a request fares.
struct Fate {
    there: Duration,
    back: Duration,
    arrives: bool,
    is_answered: bool,
}

impl Network {
    pub(crate) fn new(seed: u64) -> Self {
        let state = State {
            chance: Chance::new(seed),
            trouble_one_in: u64::MAX,
            cut: BTreeSet::new(),
            counts: Counts::default(),
            trace: DefaultHasher::new(),
            is_told: std::env::var_os("SEED").is_some(),
        };
        Self { state: Arc::new(Mutex::new(state)), began: Instant::now() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn chance<T>(&self, draw: impl FnOnce(&mut Chance) -> T) -> T {
        draw(&mut self.lock().chance)
    }

    pub(crate) fn set_trouble(&self, one_in: u64) {
        self.lock().trouble_one_in = one_in;
    }

    pub(crate) fn cut(&self, process: u64, service: Service) {
        self.lock().cut.insert((process, service));
    }

    pub(crate) fn is_cut(&self, process: u64, service: Service) -> bool {
        self.lock().cut.contains(&(process, service))
    }

    pub(crate) fn mend(&self, process: u64, service: Service) {
        self.lock().cut.remove(&(process, service));
    }

    pub(crate) fn mend_all(&self) {
        let mut state = self.lock();
        state.cut.clear();
        state.trouble_one_in = u64::MAX;
    }

    pub(crate) fn counts(&self) -> Counts {
        self.lock().counts.clone()
    }

    /// Two runs with the same trace did the same.
    pub(crate) fn trace(&self) -> u64 {
        self.lock().trace.finish()
    }

    /// Says more, to who looks at a single seed.
    pub(crate) fn tell(&self, what: impl FnOnce() -> String) {
        if self.lock().is_told {
            println!("    {}", what());
        }
    }

    pub(crate) fn note(&self, what: impl Debug) {
        let at = self.began.elapsed();
        let text = format!("{at:?} {what:?}");
        let mut state = self.lock();
        text.hash(&mut state.trace);
        if state.is_told {
            println!("{text}");
        }
    }

    fn fate(&self, process: u64, service: Service) -> Fate {
        let mut state = self.lock();
        state.counts.requests += 1;
        let is_cut = state.cut.contains(&(process, service));
        let trouble_one_in = state.trouble_one_in;
        let chance = &mut state.chance;
        let mut fate = Fate {
            there: chance.millis(0, 4),
            back: chance.millis(0, 4),
            arrives: !is_cut,
            is_answered: !is_cut,
        };
        if chance.one_in(trouble_one_in) {
            match chance.below(5) {
                0 => fate.arrives = false,
                1 => fate.is_answered = false,
                2 => fate.back = chance.millis(100, 8_000),
                // Perhaps long after its process gave it up.
                3 => fate.there = chance.millis(100, 8_000),
                _ => fate.there = chance.millis(5_000, 60_000),
            }
        }
        if !fate.arrives || !fate.is_answered {
            state.counts.lost += 1;
        }
        fate
    }
}

/// A process, as the network sees it.
#[derive(Clone)]
pub(crate) struct Process {
    pub(crate) id: u64,
    pub(crate) network: Network,
    condition: Arc<Condition>,
}

/// Not watch channels: they wake who waits in an order of chance.
#[derive(Default)]
struct Condition {
    is_frozen: AtomicBool,
    is_killed: AtomicBool,
    thawed: Notify,
}

/// Nobody knows what became of it.
#[derive(Debug)]
pub(crate) struct NoAnswer;

impl Process {
    pub(crate) fn new(id: u64, network: Network) -> Self {
        Self { id, network, condition: Arc::default() }
    }

    pub(crate) fn freeze(&self) {
        self.condition.is_frozen.store(true, Ordering::Relaxed);
    }

    pub(crate) fn thaw(&self) {
        self.condition.is_frozen.store(false, Ordering::Relaxed);
        self.condition.thawed.notify_waiters();
    }

    /// Before its tasks are dropped.
    pub(crate) fn kill(&self) {
        self.condition.is_killed.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_killed(&self) -> bool {
        self.condition.is_killed.load(Ordering::Relaxed)
    }

    pub(crate) fn is_frozen(&self) -> bool {
        self.condition.is_frozen.load(Ordering::Relaxed)
    }

    /// A frozen process does nothing: it stays here until it is thawed.
    pub(crate) async fn is_awake(&self) {
        loop {
            // Before the look, so that a thaw in between is not missed.
            let thawed = self.condition.thawed.notified();
            if !self.is_frozen() {
                return;
            }
            thawed.await;
        }
    }

    /// Sends a request, which goes on by itself whatever becomes of the process, and waits for the answer.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        service: Service,
        what: &'static str,
        serve: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, NoAnswer> {
        self.is_awake().await;
        let fate = self.network.fate(self.id, service);
        let (network, id) = (self.network.clone(), self.id);
        let (answer, answered) = oneshot::channel();
        tokio::spawn(async move {
            sleep(fate.there).await;
            if fate.arrives {
                network.note((id, service, what));
                if answer.is_closed() {
                    let mut state = network.lock();
                    state.counts.late += 1;
                    state.counts.late_rows += u64::from(what == "write");
                }
                let result = serve.await;
                sleep(fate.back).await;
                if fate.is_answered {
                    let _ = answer.send(result);
                    return;
                }
            }
            // Until its process gives it up.
            let mut answer = answer;
            answer.closed().await;
        });
        let result = timeout(REQUEST_FOR, answered).await;
        self.is_awake().await;
        result.ok().and_then(Result::ok).ok_or(NoAnswer)
    }
}
