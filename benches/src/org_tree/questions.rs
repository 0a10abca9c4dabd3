//! What is asked of a world.

use rand::{
    Rng as _, SeedableRng as _,
    rngs::SmallRng,
    seq::{IndexedRandom as _, SliceRandom as _},
};
use rand_distr::{Distribution as _, Zipf};

use super::{PERMISSIONS_PER_TYPE, Subject, TYPES, World};
use crate::workload::{self, Workload};

/// A question by the numbers of its member, permission and resource.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    pub member: usize,
    pub permission: usize,
    pub resource: usize,
}

/// The kinds of question that cost differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mix {
    DirectHit,
    InheritedHit,
    GroupHit,
    NearMiss,
    FarMiss,
    ParentHit,
}

impl Mix {
    pub const ALL: [Self; 5] = [Self::DirectHit, Self::InheritedHit, Self::GroupHit, Self::NearMiss, Self::FarMiss];

    pub const fn label(self) -> &'static str {
        match self {
            Self::DirectHit => "direct hit",
            Self::InheritedHit => "inherited hit",
            Self::GroupHit => "hit through a group",
            Self::NearMiss => "near miss",
            Self::FarMiss => "far miss",
            Self::ParentHit => "hit one level up",
        }
    }
}

/// The shares in which the kinds of question come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Traffic {
    /// As many hits as misses.
    Even,
    /// Four hits for each miss.
    MostlyHits,
    /// Misses only.
    Misses,
}

impl Traffic {
    pub const ALL: [Self; 3] = [Self::Even, Self::MostlyHits, Self::Misses];

    pub const fn label(self) -> &'static str {
        match self {
            Self::Even => "50 % hits",
            Self::MostlyHits => "80 % hits",
            Self::Misses => "misses",
        }
    }

    /// How many hits there are in a hundred.
    const fn hits(self) -> usize {
        match self {
            Self::Even => 50,
            Self::MostlyHits => 80,
            Self::Misses => 0,
        }
    }
}

/// How popular members and resources are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Popularity {
    /// The k-th most popular is asked about 1/k as often as the first.
    Zipf,
    /// All alike: the worst case for caches.
    Uniform,
}

impl Popularity {
    pub const ALL: [Self; 2] = [Self::Zipf, Self::Uniform];
}

impl World {
    /// Questions of one kind.
    pub fn questions(&self, mix: Mix, popularity: Popularity, count: usize) -> Vec<Question> {
        let mut rng = SmallRng::seed_from_u64(mix as u64 + 7);
        let mut questions = Vec::with_capacity(count);
        let pick = |rng: &mut SmallRng, len: usize| match popularity {
            Popularity::Uniform => rng.random_range(0..len),
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "a rank between 1 and a length"
            )]
            Popularity::Zipf => {
                let rank = Zipf::new(len as f64, 1.0).expect("a distribution").sample(rng) as usize - 1;
                // Which is popular has nothing to do with the order of creation.
                rank.wrapping_mul(0x9e37_79b9) % len
            }
        };
        while questions.len() < count {
            let question = match mix {
                Mix::DirectHit | Mix::ParentHit | Mix::InheritedHit | Mix::GroupHit => {
                    let (subject, role, resource) = self.assignments[pick(&mut rng, self.assignments.len())];
                    let member = match (subject, mix) {
                        (Subject::Group(group), Mix::GroupHit) if !self.group_members[group].is_empty() => {
                            let members = &self.group_members[group];
                            members[pick(&mut rng, members.len())]
                        }
                        (Subject::Member(member), Mix::DirectHit | Mix::ParentHit | Mix::InheritedHit) => member,
                        _ => continue,
                    };
                    let resource = match mix {
                        Mix::DirectHit => resource,
                        Mix::ParentHit => match self.children[resource].choose(&mut rng) {
                            Some(&child) => child,
                            None => continue,
                        },
                        _ => self.below(resource, &mut rng),
                    };
                    let permissions = &self.role_permissions[role];
                    let nth = rng.random_range(0..permissions.len());
                    let permission = *permissions.iter().nth(nth).expect("a role has permissions");
                    Question { member, permission, resource }
                }
                Mix::NearMiss | Mix::FarMiss => {
                    let member = pick(&mut rng, self.size.members);
                    let own = self.member_organization[member];
                    let organization = if mix == Mix::NearMiss { own } else { (own + 1) % self.size.organizations };
                    let resources = &self.resources_of_organization[organization];
                    let resource = resources[pick(&mut rng, resources.len())];
                    let permission = rng.random_range(0..TYPES.len() * PERMISSIONS_PER_TYPE);
                    Question { member, permission, resource }
                }
            };
            let wanted = !matches!(mix, Mix::NearMiss | Mix::FarMiss);
            if self.allows(question) == wanted {
                questions.push(question);
            }
        }
        questions
    }

    /// Questions of all kinds, in no order: of the hits a quarter each on the resource of the assignment, one level and
    /// more levels below it, and through a group; half of the misses within the member's organization.
    pub fn traffic(&self, traffic: Traffic, popularity: Popularity, count: usize) -> Vec<Question> {
        let hits = count * traffic.hits() / 100;
        let kinds = [
            (Mix::DirectHit, hits / 4),
            (Mix::ParentHit, hits / 4),
            (Mix::InheritedHit, hits / 4),
            (Mix::GroupHit, hits - hits / 4 * 3),
            (Mix::NearMiss, (count - hits) / 2),
            (Mix::FarMiss, (count - hits).div_ceil(2)),
        ];
        let questions = kinds.into_iter().flat_map(|(mix, count)| self.questions(mix, popularity, count));
        let mut questions: Vec<Question> = questions.collect();
        questions.shuffle(&mut SmallRng::seed_from_u64(11));
        questions
    }

    /// A question by names, with its answer by the definition.
    pub fn named(&self, question: Question) -> workload::Question {
        workload::Question {
            member: Self::member_name(question.member),
            permission: Self::permission_name(question.permission),
            resource_type: self.type_name(question.resource).into(),
            resource: Self::resource_name(question.resource),
            allowed: self.allows(question),
        }
    }

    /// The world and that many questions.
    pub fn workload(&self, traffic: Traffic, popularity: Popularity, count: usize) -> Workload {
        let mut facts = Vec::new();
        self.facts(|name, fact| facts.push((name, fact)));
        let questions = self.traffic(traffic, popularity, count);
        Workload { facts, questions: questions.into_iter().map(|question| self.named(question)).collect() }
    }

    fn below(&self, resource: usize, rng: &mut SmallRng) -> usize {
        let mut current = resource;
        while let Some(&child) = self.children[current].choose(rng) {
            current = child;
        }
        current
    }
}
