//! Byte accounts in a tree that must balance: the cgroup hierarchy's books.
//!
//! A charge counts in the account that made it and in every account above it, as `memory.current` does; it stays
//! there until it is taken off again, whoever freed it (LM-1). An account that is closed while it owns something
//! leaves its charge with its parent, as a removed cgroup's lingering pages still count in every ancestor.
//! Taking off more than there is, and closing what is not empty, are defects of the model and panic.
//! [`Ledger::check`] proves the books from scratch; tests call it after every event.

use std::fmt;

use crate::kernel::define_id;
use crate::units::Bytes;

define_id!(
    /// Names an account. Ids of closed accounts are given again.
    pub struct AccountId,
    "Account"
);

/// The closed list of what bytes can be (anonymous, shared memory, file cache, …).
pub trait AccountClass: Copy {
    /// Number of classes.
    const COUNT: usize;
    /// The number of this class, below [`Self::COUNT`].
    fn index(self) -> usize;
}

#[derive(Clone, Copy, Debug)]
struct Account {
    parent: Option<AccountId>,
    open_children: u32,
    open: bool,
}

/// Byte accounts by class in a tree.
#[derive(Debug)]
pub struct Ledger<C: AccountClass> {
    accounts: Vec<Account>,
    /// Charged to the account itself, `COUNT` entries an account.
    own: Vec<Bytes>,
    /// Charged to the account and all below it, `COUNT` entries an account.
    total: Vec<Bytes>,
    /// All classes of `total`, one entry an account.
    sum: Vec<Bytes>,
    free: Vec<AccountId>,
    ever_charged: u128,
    ever_uncharged: u128,
    class: std::marker::PhantomData<fn(C)>,
}

/// The first thing that does not add up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Imbalance {
    /// An account's total is not what it and its children hold.
    Total {
        /// The account.
        account: AccountId,
        /// The number of the class.
        class: usize,
        /// What the books say.
        booked: Bytes,
        /// What it and its children hold.
        held: Bytes,
    },
    /// An account's sum is not the total of its classes.
    Sum {
        /// The account.
        account: AccountId,
        /// What the books say.
        booked: Bytes,
        /// The total of its classes.
        held: Bytes,
    },
    /// A closed account still holds something.
    Closed {
        /// The account.
        account: AccountId,
        /// What it holds.
        held: Bytes,
    },
    /// Everything ever charged minus everything ever uncharged is not what the accounts hold.
    Outstanding {
        /// Charged minus uncharged, in bytes.
        booked: u128,
        /// What all accounts own, in bytes.
        held: u128,
    },
}

impl fmt::Display for Imbalance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Total { account, class, booked, held } => {
                write!(f, "{account:?}: class {class} is booked with {booked:?}, it and its children hold {held:?}")
            }
            Self::Sum { account, booked, held } => write!(f, "{account:?}: the sum is booked with {booked:?}, its classes hold {held:?}"),
            Self::Closed { account, held } => write!(f, "{account:?} is closed and holds {held:?}"),
            Self::Outstanding { booked, held } => write!(f, "charged minus uncharged is {booked} B, the accounts hold {held} B"),
        }
    }
}
impl std::error::Error for Imbalance {}

impl<C: AccountClass> Ledger<C> {
    /// A ledger without accounts.
    pub const fn new() -> Self {
        Self {
            accounts: Vec::new(),
            own: Vec::new(),
            total: Vec::new(),
            sum: Vec::new(),
            free: Vec::new(),
            ever_charged: 0,
            ever_uncharged: 0,
            class: std::marker::PhantomData,
        }
    }
    /// Opens an empty account below `parent`, or a root.
    ///
    /// # Panics
    /// When the parent is closed.
    pub fn open(&mut self, parent: Option<AccountId>) -> AccountId {
        if let Some(parent) = parent {
            self.assert_open(parent);
            self.accounts[parent.index()].open_children += 1;
        }
        let account = Account { parent, open_children: 0, open: true };
        if let Some(id) = self.free.pop() {
            self.accounts[id.index()] = account;
            return id;
        }
        let id = AccountId::new(u32::try_from(self.accounts.len()).expect("a ledger holds at most 2^32 accounts"));
        self.accounts.push(account);
        self.own.resize(self.own.len() + C::COUNT, Bytes::ZERO);
        self.total.resize(self.total.len() + C::COUNT, Bytes::ZERO);
        self.sum.push(Bytes::ZERO);
        id
    }
    /// Charges an account and every account above it.
    ///
    /// # Panics
    /// When the account is closed.
    pub fn charge(&mut self, id: AccountId, class: C, bytes: Bytes) {
        self.assert_open(id);
        self.own[slot(id, class)] += bytes;
        self.ever_charged += u128::from(bytes.get());
        let mut at = Some(id);
        while let Some(id) = at {
            self.total[slot(id, class)] += bytes;
            self.sum[id.index()] += bytes;
            at = self.accounts[id.index()].parent;
        }
    }
    /// Takes bytes off an account and every account above it.
    ///
    /// # Panics
    /// When the account itself holds less, or is closed.
    pub fn uncharge(&mut self, id: AccountId, class: C, bytes: Bytes) {
        self.assert_open(id);
        let own = &mut self.own[slot(id, class)];
        assert!(*own >= bytes, "{id:?} holds {own:?} of class {} and can't give {bytes:?} back", class.index());
        *own -= bytes;
        self.ever_uncharged += u128::from(bytes.get());
        let mut at = Some(id);
        while let Some(id) = at {
            self.total[slot(id, class)] -= bytes;
            self.sum[id.index()] -= bytes;
            at = self.accounts[id.index()].parent;
        }
    }
    /// Moves a charge from one account to another.
    ///
    /// # Panics
    /// As [`Self::uncharge`].
    pub fn move_to(&mut self, from: AccountId, to: AccountId, class: C, bytes: Bytes) {
        self.uncharge(from, class, bytes);
        self.charge(to, class, bytes);
    }
    /// What is charged to the account itself.
    pub fn own(&self, id: AccountId, class: C) -> Bytes {
        self.own[slot(id, class)]
    }
    /// What is charged to the account and all below it.
    pub fn total(&self, id: AccountId, class: C) -> Bytes {
        self.total[slot(id, class)]
    }
    /// What is charged to the account and all below it, in all classes (`memory.current`).
    pub fn sum(&self, id: AccountId) -> Bytes {
        self.sum[id.index()]
    }
    /// The account above.
    pub fn parent(&self, id: AccountId) -> Option<AccountId> {
        self.accounts[id.index()].parent
    }
    /// Closes an account; its id may be given again.
    ///
    /// # Panics
    /// When it owns something, has open children, or is closed.
    pub fn close(&mut self, id: AccountId) {
        self.assert_open(id);
        let account = &mut self.accounts[id.index()];
        assert!(account.open_children == 0, "{id:?} has open children");
        account.open = false;
        let parent = account.parent.take();
        assert!(self.sum[id.index()].is_zero(), "{id:?} still owns {:?}", self.sum[id.index()]);
        if let Some(parent) = parent {
            self.accounts[parent.index()].open_children -= 1;
        }
        self.free.push(id);
    }
    /// Leaves what an account still owns to its parent, as a removed cgroup's lingering charge (LM-1), and closes
    /// it. Returns what was left behind.
    ///
    /// # Panics
    /// As [`Self::close`]; and when it owns something and is a root.
    pub fn reparent_remains(&mut self, id: AccountId) -> Bytes {
        self.assert_open(id);
        assert!(self.accounts[id.index()].open_children == 0, "{id:?} has open children");
        let remains = std::mem::take(&mut self.sum[id.index()]);
        if !remains.is_zero() {
            let parent = self.accounts[id.index()].parent.expect("a root has no parent to leave its charge to");
            for class in 0..C::COUNT {
                let place = id.index() * C::COUNT + class;
                let bytes = std::mem::take(&mut self.own[place]);
                self.total[place] = Bytes::ZERO;
                self.own[parent.index() * C::COUNT + class] += bytes;
            }
        }
        self.close(id);
        remains
    }
    /// Everything ever charged minus everything ever taken off.
    pub fn outstanding(&self) -> Bytes {
        Bytes::new((self.ever_charged - self.ever_uncharged) as u64)
    }
    /// Proves the books from scratch and describes the first imbalance.
    pub fn check(&self) -> Result<(), Imbalance> {
        let mut held = self.own.clone();
        for (child, account) in self.accounts.iter().enumerate() {
            let Some(parent) = account.parent else { continue };
            for class in 0..C::COUNT {
                held[parent.index() * C::COUNT + class] += self.total[child * C::COUNT + class];
            }
        }
        for (index, account) in self.accounts.iter().enumerate() {
            self.check_account(AccountId::new(index as u32), *account, &held[index * C::COUNT..][..C::COUNT])?;
        }
        let booked = self.ever_charged - self.ever_uncharged;
        let held = self.own.iter().map(|bytes| u128::from(bytes.get())).sum();
        if booked == held { Ok(()) } else { Err(Imbalance::Outstanding { booked, held }) }
    }
    /// Forgets all accounts and keeps the allocations.
    pub fn clear(&mut self) {
        self.accounts.clear();
        self.own.clear();
        self.total.clear();
        self.sum.clear();
        self.free.clear();
        self.ever_charged = 0;
        self.ever_uncharged = 0;
    }

    fn check_account(&self, account: AccountId, state: Account, held: &[Bytes]) -> Result<(), Imbalance> {
        let totals = &self.total[account.index() * C::COUNT..][..C::COUNT];
        for (class, (booked, held)) in totals.iter().zip(held).enumerate() {
            if booked != held {
                return Err(Imbalance::Total { account, class, booked: *booked, held: *held });
            }
        }
        let (booked, held) = (self.sum[account.index()], totals.iter().copied().sum());
        if booked != held {
            return Err(Imbalance::Sum { account, booked, held });
        }
        if !state.open && !held.is_zero() {
            return Err(Imbalance::Closed { account, held });
        }
        Ok(())
    }
    fn assert_open(&self, id: AccountId) {
        assert!(self.accounts.get(id.index()).is_some_and(|account| account.open), "{id:?} is closed");
    }
}

impl<C: AccountClass> Default for Ledger<C> {
    fn default() -> Self {
        Self::new()
    }
}

fn slot<C: AccountClass>(id: AccountId, class: C) -> usize {
    id.index() * C::COUNT + class.index()
}
