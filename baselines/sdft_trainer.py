"""SDFT: TRL's experimental SDFTTrainer, resumable, counted, on rollouts that are the policy's own."""

from datasets import Dataset
from trl.experimental.sdft import SDFTConfig, SDFTTrainer

from uniapl.method.deepspeed import check_deepspeed
from uniapl.method.demonstrations import check_rows
from uniapl.method.grpo import check_generation
from uniapl.method.resume import Resumable

MASKS = ("prompt_mask", "completion_mask")


class SDFT(Resumable, SDFTTrainer):
    """`train_dataset` has prompt (chat) and demonstration. TRL loads a teacher that is not the policy itself from the
    folder of the policy's checkpoint. Raises ValueError for a row without demonstration, an alpha outside [0, 1] and
    likeliest tokens that are fewer than 1 or more than the vocabulary."""

    def __init__(self, *, model, args: SDFTConfig, train_dataset: Dataset, **kwargs):
        check_rows("train_dataset", train_dataset, needs_demonstration=True)
        most = model.config.get_text_config().vocab_size
        if not 0 <= args.distillation_alpha <= 1 or not 1 <= args.distillation_topk <= most:
            alpha, top = args.distillation_alpha, args.distillation_topk
            raise ValueError(f"SDFT needs alpha in [0, 1] and top in [1, {most}], got {alpha} and {top}")
        rows = train_dataset.rename_column("demonstration", "privileged_context")
        super().__init__(model=model, args=args, train_dataset=rows, **kwargs)
        check_deepspeed(self.accelerator)
        check_generation(self.accelerator.unwrap_model(self.model), self.generation_config)
        self._total_train_tokens = 0

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        if self.model.training:
            of_all = self.accelerator.gather(sum(inputs[name].sum() for name in MASKS)).sum().item()
            self._total_train_tokens += of_all
            self._metrics["train"]["num_tokens"] = [self._total_train_tokens]
            read = self.accelerator.gather(inputs["teacher_attention_mask"].sum()).sum().item()
            self._metrics["train"]["teacher_tokens"].append(read * self.current_gradient_accumulation_steps)
        return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)

    def _log_self_distillation_metric(self, mode: str, value: float) -> None:
        self._metrics[mode]["distillation_loss"].append(value)

    def method_state(self) -> dict:
        moving = self.args.teacher_model_kind == "ema"
        return super().method_state() | ({"teacher": self.teacher_model.state_dict()} if moving else {})

    def load_method_state(self, state: dict) -> None:
        super().load_method_state(state)
        if "teacher" in state:
            self.teacher_model.load_state_dict(state["teacher"])
