use trunkline_base::limits::SIDES_PER_SESSION;
use trunkline_control::ConnectedTo;

use crate::cx::Cx;
use crate::made::{Made, ToneLine};
use crate::side::{Link, Side};
use crate::stream::{Place, Streams};
use crate::{Shell, SideIndex};

/// The sides of a session by their index, which stays while a side lives.
pub(crate) struct Sides {
    sides: Vec<Option<Side>>,
}

impl Sides {
    pub fn with_room_for(sides: usize) -> Self {
        Self { sides: Vec::with_capacity(sides) }
    }

    #[inline]
    pub fn get(&self, index: SideIndex) -> Option<&Side> {
        self.sides.get(usize::from(index))?.as_ref()
    }

    #[inline]
    pub fn get_mut(&mut self, index: SideIndex) -> Option<&mut Side> {
        self.sides.get_mut(usize::from(index))?.as_mut()
    }

    pub fn iter(&self) -> impl Iterator<Item = (SideIndex, &Side)> {
        (0..).zip(&self.sides).filter_map(|(index, side)| Some((index, side.as_ref()?)))
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = (SideIndex, &mut Side)> {
        (0..).zip(&mut self.sides).filter_map(|(index, side)| Some((index, side.as_mut()?)))
    }

    /// In the order in which they were made.
    pub fn in_order(&self) -> Vec<(SideIndex, &Side)> {
        let mut sides: Vec<_> = self.iter().collect();
        sides.sort_unstable_by_key(|(_, side)| side.born);
        sides
    }

    pub fn find(&self, id: &str) -> Option<SideIndex> {
        self.iter().find(|(_, side)| &*side.id == id).map(|(index, _)| index)
    }

    /// Index for a further side. `None`: there are too many.
    pub fn free_index(&self) -> Option<SideIndex> {
        let free = self.sides.iter().position(Option::is_none).unwrap_or(self.sides.len());
        (free < SIDES_PER_SESSION).then_some(free as SideIndex)
    }

    pub fn insert(&mut self, index: SideIndex, side: Side) {
        let missing = (usize::from(index) + 1).saturating_sub(self.sides.len());
        // A session mostly keeps as many sides as it began with.
        self.sides.reserve_exact(missing);
        self.sides.extend((0..missing).map(|_| None));
        self.sides[usize::from(index)] = Some(side);
    }

    pub fn remove(&mut self, index: SideIndex) -> Option<Side> {
        self.sides.get_mut(usize::from(index))?.take()
    }

    pub fn into_iter(self) -> impl Iterator<Item = (SideIndex, Side)> {
        (0..).zip(self.sides).filter_map(|(index, side)| Some((index, side?)))
    }

    /// What a side was asked to be connected to.
    pub fn link_of(&self, to: &ConnectedTo) -> Link {
        match to {
            ConnectedTo::Side { side } => self.find(side).map_or(Link::Nothing, Link::Side),
            ConnectedTo::Echo => Link::Echo,
            ConnectedTo::Tone { frequency_hz } => Link::Tone(*frequency_hz),
            ConnectedTo::Silence => Link::Tone(0),
            ConnectedTo::Nothing => Link::Nothing,
        }
    }

    /// Connects both ways; older links of either are undone.
    pub fn connect<S: Shell>(&mut self, index: SideIndex, link: Link, cx: &mut Cx<'_, S>) {
        self.disconnect(index);
        match link {
            Link::Nothing => {}
            Link::Side(partner) => {
                self.disconnect(partner);
                self.pair(index, partner);
                self.set_link(partner, Link::Side(index));
            }
            Link::Echo => {
                if let Some(side) = self.get_mut(index) {
                    for medium in side.streams.media() {
                        side.streams[medium].partner = Some(Place { side: index, medium });
                    }
                }
            }
            Link::Tone(frequency_hz) => self.play(index, frequency_hz),
        }
        self.set_link(index, link);
        for side in [Some(index), partner_of(link)].into_iter().flatten() {
            self.reroute(side);
            // Who watches from now on has seen none of it.
            if let Some(side) = self.get_mut(side) {
                for medium in side.streams.media() {
                    side.request_key_frame(medium, cx);
                }
            }
        }
    }

    /// Undoes the link of a side.
    pub fn disconnect(&mut self, index: SideIndex) {
        let Some(link) = self.get(index).map(|side| side.link) else { return };
        for side in [Some(index), partner_of(link)].into_iter().flatten() {
            let Some(side) = self.get_mut(side).filter(|side| side.link != Link::Nothing) else { continue };
            side.link = Link::Nothing;
            for stream in side.streams.iter_mut() {
                stream.partner = None;
                if let Some(made) = &mut stream.made {
                    made.tone = None;
                }
                stream.switch_source();
                stream.route_to(None);
            }
        }
    }

    /// Makes the routes from and to a side again, after a negotiation or a new link.
    pub fn reroute(&mut self, index: SideIndex) {
        let Some(side) = self.get(index) else { return };
        let media = side.streams.media();
        for medium in media {
            let source = Place { side: index, medium };
            let partner = self.get(index).and_then(|side| side.streams[medium].partner);
            self.route(source, partner);
            if let Some(partner) = partner.filter(|partner| *partner != source) {
                self.route(partner, Some(source));
            }
        }
    }

    fn route(&mut self, source: Place, target: Option<Place>) {
        let target = target.and_then(|target| self.get(target.side)?.streams[target.medium].medium.clone());
        if let Some(side) = self.get_mut(source.side) {
            side.streams[source.medium].route_to(target.as_deref());
        }
    }

    /// The first audio with the first audio, the first video with the first video, and so on.
    fn pair(&mut self, ours: SideIndex, theirs: SideIndex) {
        let (Some(one), Some(other)) = (self.get(ours), self.get(theirs)) else { return };
        for (medium, partner) in pairs(&one.streams, &other.streams) {
            self.set_partner(ours, medium, Place { side: theirs, medium: partner });
            self.set_partner(theirs, partner, Place { side: ours, medium });
        }
    }

    fn set_partner(&mut self, side: SideIndex, medium: u8, partner: Place) {
        if let Some(side) = self.get_mut(side) {
            side.streams[medium].partner = Some(partner);
        }
    }

    fn set_link(&mut self, side: SideIndex, link: Link) {
        if let Some(side) = self.get_mut(side) {
            side.link = link;
        }
    }

    fn play(&mut self, index: SideIndex, frequency_hz: u32) {
        let Some(side) = self.get_mut(index) else { return };
        if let Some(stream) = side.streams.iter_mut().find(|stream| stream.is_audio()) {
            stream.made.get_or_insert_with(Made::nothing).tone = Some(ToneLine::new(frequency_hz));
        }
    }
}

fn partner_of(link: Link) -> Option<SideIndex> {
    match link {
        Link::Side(partner) => Some(partner),
        Link::Nothing | Link::Echo | Link::Tone(_) => None,
    }
}

fn pairs(ours: &Streams, theirs: &Streams) -> Vec<(u8, u8)> {
    let mut left: Vec<u8> = theirs.media().collect();
    let mut pairs = Vec::new();
    for medium in ours.media() {
        let fitting = left.iter().position(|partner| theirs[*partner].kind == ours[medium].kind);
        if let Some(at) = fitting {
            pairs.push((medium, left.remove(at)));
        }
    }
    pairs
}
