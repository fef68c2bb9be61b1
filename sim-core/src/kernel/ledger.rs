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
        if bytes.is_zero() {
            // A finished step posts each class that it could have brought.
            return;
        }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Copy, Debug)]
    enum Class {
        Anon,
        Shmem,
        File,
    }
    impl AccountClass for Class {
        const COUNT: usize = 3;
        fn index(self) -> usize {
            self as usize
        }
    }
    const CLASSES: [Class; 3] = [Class::Anon, Class::Shmem, Class::File];

    fn mib(n: u64) -> Bytes {
        Bytes::mib(n)
    }

    #[test]
    fn a_removed_cgroup_leaves_its_charge_with_its_parent_lm_1() {
        let mut ledger = Ledger::new();
        let node = ledger.open(None);
        let pod = ledger.open(Some(node));
        let container = ledger.open(Some(pod));
        ledger.charge(container, Class::Anon, mib(100));
        // LM-2: 256 MiB written to tmpfs stay after the writer's death.
        ledger.charge(container, Class::Shmem, mib(256));
        assert_eq!(ledger.sum(node), mib(356));
        ledger.uncharge(container, Class::Anon, mib(100));
        assert_eq!(ledger.reparent_remains(container), mib(256));
        assert_eq!((ledger.own(pod, Class::Shmem), ledger.total(node, Class::Shmem), ledger.sum(node)), (mib(256), mib(256), mib(256)));
        assert_eq!(ledger.check(), Ok(()));
        let next = ledger.open(Some(pod));
        assert_eq!((next, ledger.sum(next)), (container, Bytes::ZERO), "the slot is reused and empty");
        ledger.move_to(pod, next, Class::Shmem, mib(6));
        assert_eq!((ledger.own(pod, Class::Shmem), ledger.own(next, Class::Shmem), ledger.total(pod, Class::Shmem)), (mib(250), mib(6), mib(256)));
        assert_eq!((ledger.outstanding(), ledger.check()), (mib(256), Ok(())));
        ledger.clear();
        assert_eq!((ledger.outstanding(), ledger.check()), (Bytes::ZERO, Ok(())));
    }

    #[test]
    fn check_describes_the_first_imbalance() {
        let mut ledger = Ledger::new();
        let root = ledger.open(None);
        let leaf = ledger.open(Some(root));
        ledger.charge(leaf, Class::File, mib(1));
        let right = ledger.total.clone();
        ledger.total[Class::File.index()] = mib(2);
        let found = ledger.check().expect_err("the root's total is wrong");
        assert_eq!(found.to_string(), "Account#0: class 2 is booked with 2097152B, it and its children hold 1048576B");
        ledger.total = right;
        ledger.ever_charged += 1;
        assert_eq!(ledger.check(), Err(Imbalance::Outstanding { booked: (1 << 20) + 1, held: 1 << 20 }));
        ledger.ever_charged -= 1;
        ledger.sum[1] = Bytes::ZERO;
        assert_eq!(ledger.check(), Err(Imbalance::Sum { account: leaf, booked: Bytes::ZERO, held: mib(1) }));
    }

    #[test]
    #[should_panic(expected = "can't give")]
    fn taking_off_what_only_a_child_holds_is_a_defect() {
        let mut ledger = Ledger::new();
        let root = ledger.open(None);
        let leaf = ledger.open(Some(root));
        ledger.charge(leaf, Class::Anon, mib(1));
        ledger.uncharge(root, Class::Anon, mib(1));
    }

    #[test]
    #[should_panic(expected = "still owns")]
    fn closing_what_is_not_empty_is_a_defect() {
        let mut ledger = Ledger::new();
        let root = ledger.open(None);
        ledger.charge(root, Class::Anon, mib(1));
        ledger.close(root);
    }

    #[test]
    #[should_panic(expected = "has open children")]
    fn closing_above_open_accounts_is_a_defect() {
        let mut ledger: Ledger<Class> = Ledger::new();
        let root = ledger.open(None);
        ledger.open(Some(root));
        ledger.close(root);
    }

    #[test]
    #[should_panic(expected = "is closed")]
    fn charging_a_closed_account_is_a_defect() {
        let mut ledger = Ledger::new();
        let root = ledger.open(None);
        ledger.close(root);
        ledger.charge(root, Class::Anon, mib(1));
    }

    /// What an account owns itself, and its parent, kept without any running total.
    type Plain = std::collections::BTreeMap<AccountId, (Option<AccountId>, [u64; 3])>;

    fn plain_total(plain: &Plain, id: AccountId, class: usize) -> u64 {
        plain[&id].1[class] + plain.iter().filter(|(_, (parent, _))| *parent == Some(id)).map(|(child, _)| plain_total(plain, *child, class)).sum::<u64>()
    }

    fn one_step(ledger: &mut Ledger<Class>, plain: &mut Plain, (action, pick, other, bytes): (u8, usize, usize, u64)) {
        let ids: Vec<AccountId> = plain.keys().copied().collect();
        let (id, to, class) = (ids[pick % ids.len()], ids[other % ids.len()], CLASSES[other % 3]);
        let owned = plain[&id].1[class.index()];
        let is_leaf = plain.values().all(|(parent, _)| *parent != Some(id));
        match action {
            0 => {
                let child = ledger.open(Some(id));
                assert_eq!(plain.insert(child, (Some(id), [0; 3])), None);
            }
            1..=3 => {
                ledger.charge(id, class, Bytes::new(bytes));
                plain.get_mut(&id).expect("open").1[class.index()] += bytes;
            }
            4 => {
                ledger.uncharge(id, class, Bytes::new(owned.min(bytes)));
                plain.get_mut(&id).expect("open").1[class.index()] -= owned.min(bytes);
            }
            5 => {
                ledger.move_to(id, to, class, Bytes::new(owned.min(bytes)));
                plain.get_mut(&id).expect("open").1[class.index()] -= owned.min(bytes);
                plain.get_mut(&to).expect("open").1[class.index()] += owned.min(bytes);
            }
            _ => {
                if let (true, Some(parent)) = (is_leaf, plain[&id].0) {
                    let (_, remains) = plain.remove(&id).expect("open");
                    assert_eq!(ledger.reparent_remains(id).get(), remains.iter().sum::<u64>());
                    for (mine, left) in plain.get_mut(&parent).expect("open").1.iter_mut().zip(remains) {
                        *mine += left;
                    }
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]
        #[test]
        fn totals_are_those_of_a_plain_recount(steps in prop::collection::vec((0..8u8, any::<usize>(), any::<usize>(), 0..1000u64), 1..150)) {
            let mut ledger = Ledger::new();
            let root = ledger.open(None);
            let mut plain = Plain::from([(root, (None, [0; 3]))]);
            for step in steps {
                one_step(&mut ledger, &mut plain, step);
                prop_assert_eq!(ledger.check(), Ok(()));
            }
            for (id, (parent, own)) in &plain {
                prop_assert_eq!(ledger.parent(*id), *parent);
                for class in CLASSES {
                    prop_assert_eq!(ledger.own(*id, class).get(), own[class.index()]);
                    prop_assert_eq!(ledger.total(*id, class).get(), plain_total(&plain, *id, class.index()));
                }
                prop_assert_eq!(ledger.sum(*id).get(), (0..3).map(|class| plain_total(&plain, *id, class)).sum::<u64>());
            }
        }
    }
}
