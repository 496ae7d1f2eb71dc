//! From a game to the coalitions it asks for, and from their payoffs to its values.

use super::coalition::Coalitions;
use super::exact::add_shapley;
use super::leverage::Design;
use super::owen::Arrangement;
use super::permutation::Walks;
use super::random::Draws;
use super::reference::Reference;
use super::regression::Estimate;
use super::{MAX_EXACT_PLAYERS, Method, kernel};
use ndarray::{Array1, ArrayView1};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Memory that designs may take while they wait to be used again.
const KEPT_BYTES: usize = 256 << 20;

/// How one game is solved.
pub(super) struct Scheme {
    /// Player at each position of the coalitions.
    pub players: Vec<usize>,
    plan: Plan,
}

enum Plan {
    Shapley(Arc<Coalitions>),
    Owen(Arrangement),
    Leverage(Arc<Design>),
    Kernel(Arc<kernel::Design>),
    Permutation(Walks),
}

impl Scheme {
    pub fn coalitions(&self) -> &Coalitions {
        match &self.plan {
            Plan::Shapley(all) => all,
            Plan::Owen(arrangement) => arrangement.coalitions(),
            Plan::Leverage(design) => design.coalitions(),
            Plan::Kernel(design) => design.coalitions(),
            Plan::Permutation(walks) => walks.coalitions(),
        }
    }

    /// Whether the coalitions are all there are, numbered by their bits.
    pub fn is_enumerated(&self) -> bool {
        matches!(self.plan, Plan::Shapley(_))
    }

    /// Values of the players by position from the payoffs of all coalitions in order.
    pub fn solve(&self, payoffs: ArrayView1<f64>) -> Estimate {
        let k = self.players.len();
        let mut phi = vec![0.0; k];
        match &self.plan {
            Plan::Shapley(_) => add_shapley(&mut payoffs.to_vec(), &mut phi),
            Plan::Owen(arrangement) => phi = arrangement.values(payoffs),
            Plan::Leverage(design) => return design.estimate(payoffs),
            Plan::Kernel(design) => return design.estimate(payoffs),
            Plan::Permutation(walks) => return walks.estimate(payoffs),
        }
        Estimate { phi: phi.into(), variance: Array1::zeros(k) }
    }
}

/// Makes schemes; what depends on the number of players alone is made once.
pub(super) struct Schemes {
    method: Method,
    seed: u64,
    cluster: Option<Vec<usize>>,
    all: [OnceLock<Arc<Coalitions>>; MAX_EXACT_PLAYERS + 1],
    designs: Mutex<BTreeMap<usize, Arc<Design>>>,
}

impl Schemes {
    pub fn new(method: Method, seed: u64, cluster: Option<Vec<usize>>) -> Self {
        Self { method, seed, cluster, all: std::array::from_fn(|_| OnceLock::new()), designs: Mutex::default() }
    }

    /// The scheme of a game of the row at position `key` of the data. `None` if the budget cannot tell the players'
    /// values apart.
    pub fn of(&self, game: &Reference, key: u64) -> Option<Scheme> {
        let mut players = game.players.clone();
        let k = players.len();
        let cluster: Option<Vec<usize>> =
            self.cluster.as_ref().map(|cluster| players.iter().map(|player| cluster[*player]).collect());
        let plan = match (self.method, cluster) {
            (Method::Kernel { budget }, _) if !game.exact => {
                Draws::new(self.seed, "leverage order", &[key, game.row as u64]).shuffle(&mut players);
                Plan::Leverage(self.design(k, budget)?)
            }
            (Method::Permutation { budget }, cluster) if !game.exact => {
                let mut draws = Draws::new(self.seed, "permutation walks", &[key, game.row as u64]);
                Plan::Permutation(Walks::draw(&cluster.unwrap_or_else(|| (0..k).collect()), budget, &mut draws))
            }
            (_, None) => Plan::Shapley(self.enumerated(k)),
            (_, Some(cluster)) => Plan::Owen(Arrangement::new(&cluster)),
        };
        Some(Scheme { players, plan })
    }

    /// The schemes of all games of a row where they share their coalitions, of the first background rows first; `None`
    /// if each has its own. The inner `None`: the budget cannot tell the players' values apart.
    pub fn shared(&self, games: &[Reference], key: u64) -> Option<Option<Vec<Scheme>>> {
        let Method::ShapleyKernel { budget } = self.method else { return None };
        let first = games.first().filter(|game| !game.exact)?;
        let mut draws = Draws::new(self.seed, "kernel design", &[key]);
        let design = kernel::Design::draw(first.players.len(), budget, &mut draws).map(Arc::new);
        let scheme = |design: &Arc<kernel::Design>, game: &Reference| Scheme {
            players: game.players.clone(),
            plan: Plan::Kernel(design.clone()),
        };
        Some(design.map(|design| games.iter().map(|game| scheme(&design, game)).collect()))
    }

    fn enumerated(&self, k: usize) -> Arc<Coalitions> {
        self.all[k].get_or_init(|| Arc::new(Coalitions::all(k))).clone()
    }

    fn design(&self, k: usize, budget: usize) -> Option<Arc<Design>> {
        // The map is only ever added to: another thread's panic does not spoil it.
        let known = || self.designs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(design) = known().get(&k) {
            return Some(design.clone());
        }
        let design = Arc::new(Design::draw(k, budget, self.seed)?);
        let mut kept = known();
        let bytes: usize = kept.values().map(|design| design.bytes()).sum();
        if bytes + design.bytes() <= KEPT_BYTES {
            kept.insert(k, design.clone());
        }
        Some(design)
    }
}
