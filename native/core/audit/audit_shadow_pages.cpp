// Every shadow page is under its key in the hash, in the queue of those that
// may be zapped, and has just the parents that link to it.
//
// KVM: kvm_mmu_page.hash_link, .link and .parent_ptes (v6.16).
#include <algorithm>
#include <tuple>

#include "core/audit/audit_check.hpp"

namespace mmu {
namespace {

// A link, by the page that it leads to.
struct Parent {
  PageId child = kNoPage;
  SpteRef link;

  friend bool operator<(const Parent& a, const Parent& b) {
    return std::tie(a.child, a.link.table, a.link.index) <
           std::tie(b.child, b.link.table, b.link.index);
  }
};

class ShadowPages {
 public:
  ShadowPages(const Mmu& mmu, const Census& census, AuditFindings& findings)
      : mmu_(mmu),
        census_(census),
        findings_(findings),
        books_(*mmu.ops->books()) {}

  void check() {
    books_.hash.for_each([this](const ShadowKey& key, PageId id) {
      if (id < mmu_.pool.used()) check_key(key, id);
    });
    findings_.expect("the size of the hash", books_.hash.size(),
                     census_.tables.size());
    check_queue();
    check_parents();
    for (const LinkSeen& link : census_.links) check_child(link);
  }

 private:
  static AuditPlace place_of(const ShadowKey& key) {
    return {gpa_of(key.gfn).value, static_cast<std::uint8_t>(key.level),
            key.root};
  }

  bool is_root(PageId id) const {
    return std::ranges::any_of(mmu_.trees, [id](const PageTable& tree) {
      return tree.has_root() && tree.root().id == id;
    });
  }

  void check_key(const ShadowKey& key, PageId id) {
    const PageHeader& header = mmu_.pool.header(id);
    const ShadowKey own{header.gfn, header.level, header.root};
    if (own != key) {
      findings_.add(words("page ", id, " has another key than the hash"),
                    place_of(key));
    }
    if (books_.hash.look_up(key) != id) {
      findings_.add(words("page ", id, " is not found under its key"),
                    place_of(key));
    }
    const Level top = mmu_.trees[0].root_level();
    if (key.level == top && !is_root(id)) {
      findings_.add(words("page ", id, " is a root that no vCPU has"),
                    place_of(key));
    }
  }

  // Oldest first; no more steps than pages, whatever the links say.
  void check_queue() {
    std::vector<PageId> queued;
    const std::uint64_t most = books_.active.size() + 1;
    for (PageId id = books_.active.first();
         id != kNoPage && queued.size() < most; id = books_.active.after(id)) {
      queued.push_back(id);
    }
    findings_.expect("the length of the queue of pages", books_.active.size(),
                     queued.size());
    std::vector<PageId> wanted;
    for (const TableSeen& seen : census_.tables) {
      if (!is_root(seen.table.id)) wanted.push_back(seen.table.id);
    }
    std::ranges::sort(queued);
    std::ranges::sort(wanted);
    differ(wanted, queued, [&](PageId id, bool is_there) {
      findings_.add(is_there ? words("page ", id, " is in no queue")
                             : words("queued page ", id, " is not in use"));
    });
  }

  void check_parents() {
    std::vector<Parent> links;
    for (const LinkSeen& link : census_.links) {
      const bool counts =
          link.end == LinkEnd::kTable && link.entry.at.table != kNoPage;
      if (counts) links.push_back({link.to.id, link.entry.at});
    }
    std::vector<Parent> listed;
    std::size_t nodes = 0;
    const auto list = [&](PageId id) {
      books_.parents.for_each(
          id, [&](SpteRef from) { listed.push_back({id, from}); });
      nodes += SpteRefLists::nodes_for(books_.parents.count(id));
    };
    for (const TableSeen& seen : census_.tables) list(seen.table.id);
    for (const TableRef page : census_.freed) list(page.id);
    findings_.expect("nodes of parent lists", books_.parents.nodes(), nodes);
    std::ranges::sort(links, std::less<>{});
    std::ranges::sort(listed, std::less<>{});
    differ(links, listed, [&](const Parent& parent, bool is_there) {
      findings_.add(words(is_there ? "the list of page " : "a parent of page ",
                          parent.child, is_there ? " lacks page " : " is page ",
                          parent.link.table, " entry ", parent.link.index,
                          is_there ? "" : ", which does not link to it"));
    });
  }

  // A link leads to the page that the strategy would have looked up.
  void check_child(const LinkSeen& link) {
    if (link.end != LinkEnd::kTable) return;
    const PageHeader& child = mmu_.pool.header(link.to.id);
    const bool is_root = link.entry.at.table == kNoPage;
    const AliasedGfn key =
        is_root ? AliasedGfn{0} : mmu_.alias.key_gfn(link.entry.first);
    if (child.gfn == key &&
        child.root == static_cast<unsigned>(link.entry.root))
      return;
    findings_.add(words("a link leads to page ", link.to.id,
                        ", which is for other frames"),
                  link.entry);
  }

  // Calls tell(each, true) for what only `wanted` has, and with false for what
  // only `found` has. Both sorted.
  template <class Items, class Tell>
  static void differ(const Items& wanted, const Items& found, Tell tell) {
    auto a = wanted.begin();
    auto b = found.begin();
    while (a != wanted.end() || b != found.end()) {
      if (b == found.end() || (a != wanted.end() && *a < *b)) {
        tell(*a++, true);
      } else if (a == wanted.end() || *b < *a) {
        tell(*b++, false);
      } else {
        ++a;
        ++b;
      }
    }
  }

  const Mmu& mmu_;
  const Census& census_;
  AuditFindings& findings_;
  const ShadowBooks books_;
};

}  // namespace

void check_shadow_pages(const Mmu& mmu, const Census& census,
                        AuditFindings& findings) {
  ShadowPages(mmu, census, findings).check();
}

}  // namespace mmu
