import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelops.attest.merkle import EMPTY_ROOT, Frontier, Tree, verify_consistency, verify_inclusion
from modelops.attest.verifier.log import is_consistent, root_of_inclusion
from modelops.errors import InvalidInput, VerificationFailed

# The leaves and roots of the reference implementation of Certificate Transparency (merkletree tests).
REFERENCE_LEAVES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
REFERENCE_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def naive_root(leaves):
    """Section 2.1.1 of RFC 9162 word for word, as an oracle."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\1" + naive_root(leaves[:split]) + naive_root(leaves[split:])).digest()


def leaves_of(count):
    return [f"leaf {number}".encode() for number in range(count)]


sizes = st.integers(1, 70)


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_the_reference_implementation(size):
    assert Tree(REFERENCE_LEAVES).root(size).hex() == REFERENCE_ROOTS[size]


@given(st.lists(st.binary(max_size=4), max_size=40), st.data())
def test_every_root_equals_the_definition(leaves, data):
    size = data.draw(st.integers(0, len(leaves)))
    assert Tree(leaves).root(size) == naive_root(leaves[:size])


@given(st.lists(st.binary(max_size=4), max_size=60), st.integers(0, 60))
def test_a_frontier_gives_the_same_root_as_the_whole_tree(leaves, cut):
    frontier = Frontier().extended(leaves[:cut]).extended(leaves[cut:])
    assert (frontier.size, frontier.root) == (len(leaves), Tree(leaves).root())


def test_the_empty_tree_has_the_hash_of_nothing():
    assert Tree([]).root() == Frontier().root == EMPTY_ROOT == hashlib.sha256(b"").digest()


@pytest.mark.parametrize("size", range(1, 34))
def test_every_inclusion_proof_leads_to_the_root(size):
    leaves = leaves_of(33)
    tree, root = Tree(leaves), naive_root(leaves[:size])
    for index in range(size):
        verify_inclusion(leaves[index], index, size=size, root=root, proof=tree.inclusion_proof(index, size))


@pytest.mark.parametrize("size", range(1, 34))
def test_every_consistency_proof_holds(size):
    leaves = leaves_of(33)
    tree, root = Tree(leaves), naive_root(leaves[:size])
    for old in range(1, size + 1):
        proof = tree.consistency_proof(old, size)
        verify_consistency(old, naive_root(leaves[:old]), size=size, root=root, proof=proof)


def test_proofs_of_a_large_tree_are_short():
    assert len(Tree(leaves_of(5000)).inclusion_proof(4321)) <= 13


def test_the_inclusion_proof_of_the_specification_has_its_nodes():
    # RFC 9162, 2.1.5: the tree of seven leaves; the audit path of d0 is [b, h, l], that of d6 is [i, k].
    leaves = leaves_of(7)
    tree = Tree(leaves)
    b, h, ell = naive_root(leaves[1:2]), naive_root(leaves[2:4]), naive_root(leaves[4:])
    i, k = naive_root(leaves[4:6]), naive_root(leaves[:4])
    assert tree.inclusion_proof(0) == (b, h, ell)
    assert tree.inclusion_proof(6) == (i, k)


def test_the_consistency_proofs_of_the_specification_have_their_nodes():
    # RFC 9162, 2.1.5: from 3 to 7 [c, d, g, l], from 4 to 7 [l], from 6 to 7 [i, j, k].
    leaves = leaves_of(7)
    tree = Tree(leaves)
    c, d, g = naive_root(leaves[2:3]), naive_root(leaves[3:4]), naive_root(leaves[:2])
    ell, i, j, k = (naive_root(leaves[start:end]) for start, end in ((4, 7), (4, 6), (6, 7), (0, 4)))
    assert tree.consistency_proof(3) == (c, d, g, ell)
    assert tree.consistency_proof(4) == (ell,)
    assert tree.consistency_proof(6) == (i, j, k)


@given(sizes, st.data())
def test_a_changed_inclusion_proof_never_holds(size, data):
    leaves = leaves_of(size)
    tree = Tree(leaves)
    index = data.draw(st.integers(0, size - 1))
    proof, root = list(tree.inclusion_proof(index)), tree.root()
    forged = _forged(proof, data)
    if forged != proof:
        assert root_of_inclusion(index, size, leaves[index], forged) != root


@given(sizes, st.data())
def test_a_proof_holds_for_one_leaf_one_place_and_one_size_only(size, data):
    leaves = leaves_of(size)
    tree = Tree(leaves)
    index = data.draw(st.integers(0, size - 1))
    proof, root = tree.inclusion_proof(index), tree.root()
    assert root_of_inclusion(index, size, b"another leaf", proof) != root
    other = data.draw(st.integers(-1, size + 1).filter(lambda number: number != index))
    assert root_of_inclusion(other, size, leaves[index], proof) != root


def test_an_inner_node_is_no_leaf():
    tree = Tree(leaves_of(4))
    left, right = tree.inclusion_proof(2)[1], tree.inclusion_proof(0)[1]
    # Without domain separation the two halves as one leaf would be a second preimage of the root.
    assert root_of_inclusion(0, 1, left + right, ()) != tree.root()


@given(sizes, st.data())
def test_a_changed_consistency_proof_never_holds(size, data):
    tree = Tree(leaves_of(size))
    old = data.draw(st.integers(1, size))
    proof = list(tree.consistency_proof(old))
    forged = _forged(proof, data)
    if forged != proof:
        assert not is_consistent(old, tree.root(old), size, tree.root(), forged)


@given(sizes, st.data())
def test_a_rewritten_history_has_no_consistency_proof_that_we_would_make(size, data):
    old = data.draw(st.integers(1, size))
    changed = data.draw(st.integers(0, old - 1))
    leaves = leaves_of(size)
    earlier = Tree(leaves).root(old)
    leaves[changed] = b"rewritten"
    rewritten = Tree(leaves)
    proof = rewritten.consistency_proof(old)
    assert not is_consistent(old, earlier, size, rewritten.root(), proof)


@pytest.mark.parametrize(("old", "size"), [(0, 4), (5, 4), (-1, 4)])
def test_no_proof_makes_an_impossible_pair_of_sizes_consistent(old, size):
    tree = Tree(leaves_of(8))
    for proof in ((), tree.consistency_proof(3, 4), (tree.root(4),)):
        assert not is_consistent(old, tree.root(4), size, tree.root(4), proof)


def test_an_old_root_is_not_proved_by_an_empty_proof():
    tree = Tree(leaves_of(8))
    assert not is_consistent(3, tree.root(8), 8, tree.root(8), ())
    assert not is_consistent(8, tree.root(4), 8, tree.root(8), ())


def test_wrong_proofs_are_errors_that_name_both_roots():
    tree = Tree(leaves_of(4))
    with pytest.raises(VerificationFailed, match=f"expected {tree.root().hex()}"):
        verify_inclusion(b"x", 0, size=4, root=tree.root(), proof=tree.inclusion_proof(0))
    with pytest.raises(VerificationFailed, match="wrong length"):
        verify_inclusion(b"leaf 0", 0, size=4, root=tree.root(), proof=())
    with pytest.raises(VerificationFailed, match="continue that of 3"):
        verify_consistency(3, tree.root(2), size=4, root=tree.root(), proof=tree.consistency_proof(3))


def test_proofs_that_cannot_exist_are_refused():
    tree = Tree(leaves_of(4))
    for ask in (
        lambda: tree.inclusion_proof(4),
        lambda: tree.inclusion_proof(-1),
        lambda: tree.consistency_proof(0),
        lambda: tree.consistency_proof(5),
        lambda: tree.root(5),
    ):
        with pytest.raises(InvalidInput):
            ask()


def _forged(proof, data):
    kind = data.draw(st.sampled_from(["drop", "add", "flip", "swap", "repeat"]))
    forged = list(proof)
    if kind == "add" or not proof:
        return [*forged, data.draw(st.binary(min_size=32, max_size=32))]
    at = data.draw(st.integers(0, len(proof) - 1))
    if kind == "drop":
        forged.pop(at)
    elif kind == "flip":
        forged[at] = bytes([forged[at][0] ^ 1]) + forged[at][1:]
    elif kind == "swap":
        forged[0], forged[at] = forged[at], forged[0]
    else:
        forged.insert(at, forged[at])
    return forged
