/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The stages of a load that come after its inputs and the machine: a struct for each, made by one function and read-only after it.
 *
 *   inputs, machine            choices    how it is verified, and by how many CPUs
 *   machine, command line      tree       the next kernel's device tree; of a crash kernel its ELF header as well
 *   sizes                      placement  what is staged, and the plan
 *   inputs, placement          payload    read, with digests
 *   all of them                control    the control segment: purgatory and what it is told
 *
 * A heal makes the same, but for the payload, which is staged already.
 */
#ifndef STAGES_H
#define STAGES_H

#include "control.h"
#include "inputs.h"
#include "kexec_abi.h"
#include "ledgers.h"
#include "load.h"
#include "machine.h"

struct choices {
	uint32_t check;			/* PURG_CHECK_*, for purgatory */
	uint32_t digest;		/* PURG_CHECK_CRC32C or _SHA256: by what digests are made; a ledger needs them always */
	uint32_t cpus;			/* for purgatory; what there is room for may be fewer */
};

/* With --cpus=auto, more than one CPU from here on. */
#define CHOICES_AUTO_FROM_BYTES	MIB(256)

void choices_make(struct choices *choices, const struct sys *sys, const struct load_request *request, const struct machine *machine,
		  uint64_t payload_bytes, struct report *report);

struct tree {
	unsigned char *dtb;		/* padded with zeros to a multiple of PURG_UNIT_BYTES */
	size_t room, dtb_bytes, padded_bytes, timeline_at;
	bool seeded;
	uint8_t seeds[8 + 128];
	unsigned char *elfcore;		/* of a crash kernel; null: there is none */
	size_t elfcore_bytes;
	size_t placed_bytes;		/* of the device tree with the ELF header behind it */
};

/* How long it will be: its length does not depend on the addresses in it. Errors: KX_DTB_BAD, KX_DTB_TOO_BIG, KX_NO_MEMORY,
 * KX_NO_CRASH_NOTES */
enum kx_err tree_open(struct tree *tree, struct sys *sys, const struct machine *machine, const char *cmdline, uint64_t initrd_bytes,
		      bool crash, struct report *report, struct fail *fail);

/* What the loader knows of the jump, for the timeline. */
struct jump_facts {
	uint64_t payload_bytes, relocated_bytes;
	uint32_t slots, slots_in_place, cpus;
};

/* With its addresses. Errors: as above, KX_INTERNAL */
enum kx_err tree_make(struct tree *tree, struct sys *sys, const struct machine *machine, const char *cmdline, const struct plan *plan,
		      struct range initrd, const struct jump_facts *facts, struct fail *fail);
void tree_free(struct tree *tree);

/* A step of tree_open(): the ELF header that describes the dying kernel's memory. */
enum kx_err elfcore_make(struct tree *tree, struct sys *sys, const struct machine *machine, struct report *report, struct fail *fail);

static inline pa_t tree_elfcore_pa(const struct tree *tree, const struct plan *plan)
{
	return plan->dtb_pa + tree->placed_bytes - tree->elfcore_bytes;
}

struct placement {
	struct ledger_store ledger;	/* .sys null: nothing is staged */
	struct staging staging;		/* .ops null: the same */
	bool *keep;			/* the pages that stay, of staging.pages ... */
	bool *extra;			/* ... and those of them that the plan does not use */
	pa_t *page_pa;			/* of the staging's pages, as the plan may use them: STAGING_NO_PA for those that the kernel may overwrite */
	struct plan_input input;
	struct plan plan;
	size_t control_room;		/* what the control segment takes at most */
	uint32_t cpus;
	uint32_t pages_tried;
	pa_t panic_pa;			/* of 2 MiB for the image that is started at a panic, where it is staged in the crash kernel's memory */
};

/* What is known of a control segment before it is made; the same for its size as for its bytes. */
struct control_facts {
	const struct load_request *request;
	const struct machine *machine;
	const struct choices *choices;
	const struct tree *tree;
	const struct arm64_image *image;
};

/* The planner's input as far as it does not depend on what is staged. Errors: KX_DTB_TOO_BIG */
enum kx_err plan_input_make(struct plan_input *input, const struct sys *sys, const struct machine *machine, const struct load_request *request,
			    const struct plan_object *objects, size_t tree_bytes, struct fail *fail);

/* Plan with the pages that are staged by now. Errors: KX_NO_ROOM, KX_NO_MEMORY */
enum kx_err placement_plan(struct placement *placement, const struct control_facts *facts);

/*
 * Stage and plan: more pages as long as that helps, fewer things to ask for as long as it must. ledger describes the load as far as it is
 * known, for its size. placement->input is made already.
 *
 * Errors: those of staging and planning, KX_NO_PSCI, KX_PLAN_CHECK
 */
enum kx_err placement_make(struct placement *placement, struct sys *sys, const struct control_facts *facts, const struct ledger *ledger,
			   struct report *report, struct fail *fail);

/* How many pages there is memory for now. */
static inline uint64_t pages_to_be_had(const struct budget *budget, const struct staging_ops *backend)
{
	return budget->available_bytes / backend->page_bytes;
}

/* The beginning of that, for load_trial(). */
enum kx_err staging_trial(struct sys *sys, struct staging_trial *trial, struct fail *fail);

/* Find out what the plan does not use; give it back; with discard everything, ledger included. Errors: KX_NO_MEMORY */
enum kx_err placement_mark(struct placement *placement, struct fail *fail);
enum kx_err placement_trim(struct placement *placement, struct fail *fail);
void placement_close(struct placement *placement, bool discard);

/* A run of slots that the kernel relocates, and the memory it is read into meanwhile. */
struct relocated_run {
	struct range range;	/* the segment */
	pa_t slots_pa;		/* of the first slot */
	unsigned char *buf;	/* of whole slots */
	uint64_t buf_bytes;
};

#define RELOCATED_RUNS_MAX	(KEXEC_SEGMENT_MAX - 2)	/* less the control segment and the device tree; a crash kernel has two at most */

struct payload {
	struct ledger_slot *slot[PLAN_OBJECTS];	/* for each slot of a window: its page, its bytes and their digest */
	uint64_t file_bytes[PLAN_OBJECTS];	/* how long it turned out to be */
	struct relocated_run run[RELOCATED_RUNS_MAX];
	size_t runs;
};

/* Read everything into its place; with plan_only only the lists get their real lengths. Errors: those of reading, KX_TOO_BIG,
 * KX_NO_MEMORY, KX_NO_ROOM, KX_INTERRUPTED, and what is wrong with a kernel */
enum kx_err payload_fill(struct payload *payload, struct sys *sys, struct inputs *inputs, const struct placement *placement,
			 uint32_t digest, struct fail *fail);
void payload_free(struct payload *payload);
/* What the kernel copies at the jump; a crash kernel is put into its place when it is loaded. */
uint64_t payload_relocated_bytes(const struct payload *payload, bool crash);

/* Plan with the pages that are staged already, and hold this payload. Errors: KX_NO_ROOM, KX_NO_MEMORY, KX_PLAN_CHECK, KX_INTERNAL */
enum kx_err placement_again(struct placement *placement, struct sys *sys, const struct control_facts *facts, struct payload *payload,
			    struct report *report, struct fail *fail);

/* Bring the payload into the pages of the new plan. store, ledger: null, or where it is written down which page a slot's bytes are in
 * while they are copied, so that a later run can go on. Errors: KX_NO_MEMORY, KX_STAGED_GONE */
enum kx_err payload_rearrange(struct payload *payload, struct sys *sys, struct placement *placement, struct ledger_store *store,
			      const struct ledger *ledger, struct fail *fail);

/* Write the device tree to its page. Errors: KX_STAGED_GONE */
enum kx_err payload_put_tree(struct sys *sys, const struct placement *placement, const struct tree *tree, struct fail *fail);

struct control {
	unsigned char *bytes;
	size_t count, table_bytes;
	pa_t pa, entry_pa;
};

/* How much room a control segment for this plan takes at most. Errors: KX_NO_ROOM, KX_NO_MEMORY, KX_INTERNAL */
enum kx_err control_measure(struct placement *placement, const struct sys *sys, const struct control_facts *facts, struct report *report);

/* Make it, once the device tree was made with its addresses. facts->tree is tree. Errors: KX_NO_MEMORY, KX_PLAN_CHECK, KX_INTERNAL, and
 * those of tree_make() */
enum kx_err control_finish(struct control *control, struct sys *sys, const struct control_facts *facts, struct tree *tree,
			   const char *cmdline, const struct placement *placement, const struct payload *payload, struct fail *fail);
void control_free(struct control *control);

/* The image that a panic starts while the crash kernel's memory is staged in: purgatory, which says so and resets the machine. placement has
 * its ledger. Errors: KX_NO_MEMORY, KX_INTERNAL */
enum kx_err panic_image_make(struct control *image, struct sys *sys, const struct control_facts *facts, const struct placement *placement,
			     struct fail *fail);

/* The digest of one, or of two that are equally long, by the instructions that this CPU has. */
void digest_make(const struct sys *sys, uint32_t digest, uint8_t *out, const void *bytes, size_t count);
void digest_make_2(const struct sys *sys, uint32_t digest, uint8_t *out_a, const void *a, uint8_t *out_b, const void *b, size_t count);

/*
 * Tell the kernel: the only call that changes anything for good. What is staged is described in its ledger before, so that a loader that is
 * killed right behind the call leaves nothing in doubt that a later run could not find out.
 *
 * panic: null, or the image for a panic, where the staging has to be handed over as well.
 *
 * Errors: KX_MOVED: pages have moved since the plan was made; KX_STAGED_GONE, KX_INTERRUPTED, KX_NOT_PERMITTED, KX_BUSY, KX_NO_SYSCALL,
 * KX_NO_MEMORY, KX_KEXEC_LOAD, KX_FILE_LOAD, KX_NO_PFN, KX_INTERNAL
 */
enum kx_err commit(struct sys *sys, const struct load_request *request, const struct machine *machine, struct placement *placement, const struct ledger *ledger,
		   const struct tree *tree, const struct payload *payload, const struct control *control, const struct control *panic, struct fail *fail);

/* What an errno of kexec_load(2) is. */
enum kx_err kexec_load_error(int err, struct fail *fail);

/* What the ledger says of a load. The lists are the payload's; page_list, of staging.pages, is filled in. */
void ledger_describe(struct ledger *ledger, const struct placement *placement, const struct payload *payload,
		     struct ledger_page *page_list);
/* And of its device tree, if that is staged. */
void ledger_describe_tree(struct ledger *ledger, const struct sys *sys, const struct placement *placement, const struct tree *tree);

/* The lock that loads which stage are made under, and what it forbids. */
struct load_lock {
	struct sys *sys;
	int error;		/* of sys->lock(): 0, no other loader is staging */
};

/* Why what others staged may not be given back now; null: it may. */
const char *lock_hindrance(const struct load_lock *lock);

/* kexec_file_load(2), file.c. *result is what the call said, 0 if it was not made. Should it fail, the files stay open, so that
 * a pipe need not be read twice. */
enum kx_err load_by_file(struct inputs *inputs, struct sys *sys, const struct load_request *request, struct report *report, int *result,
			 struct fail *fail);
bool file_load_may_fall_back(int err);

#endif
