"""SDFT: nothing to learn where the demonstration adds nothing, its teachers, and what is refused."""

import pytest
import torch
from support import miniature, trainers

ONE_STEP = {"max_steps": 1, "max_grad_norm": 1e9}


@pytest.mark.parametrize("teacher", ["base", "live", "ema"])
def test_where_the_demonstration_adds_nothing_there_is_nothing_to_learn(tmp_path, teacher):
    def gradient(blind):
        trainer = trainers.sdft(tmp_path, teacher_model_kind=teacher, **ONE_STEP)
        if blind:
            trainer.teacher_context_builder._compose_teacher_prompt = lambda prompt, demonstration: prompt
        return trainers.trained(trainer)[1][0]

    assert gradient(True).norm().item() < 1e-5 and gradient(False).norm().item() > 1e-3


def test_at_alpha_zero_its_gradient_is_that_of_the_forward_divergence(tmp_path):
    trainer, seen = trainers.sdft(tmp_path, distillation_alpha=0.0, distillation_mode="full_logits", **ONE_STEP), []
    loss = trainer.compute_loss

    def watched(model, inputs, *args, **kwargs):
        seen.append(inputs)
        return loss(model, inputs, *args, **kwargs)

    trainer.compute_loss = watched
    gradient = trainers.trained(trainer)[1][0]
    inputs, policy = seen[0], miniature.policy()
    length = inputs["completion_ids"].shape[1]

    def log_p(ids, mask):
        return policy(input_ids=ids, attention_mask=mask).logits[:, -length - 1 : -1].log_softmax(-1)

    own = [torch.cat([inputs[f"prompt_{x}"], inputs[f"completion_{x}"]], 1) for x in ("ids", "mask")]
    student = log_p(*own)
    with torch.no_grad():
        teacher = log_p(inputs["teacher_input_ids"], inputs["teacher_attention_mask"])
    divergence = (teacher.exp() * (teacher - student)).sum(-1)
    mask = inputs["completion_mask"]
    ((divergence * mask).sum(1) / mask.sum(1)).mean().backward()
    expected = torch.cat([p.grad.flatten() for p in policy.parameters()])
    assert ((gradient - expected).norm() / expected.norm()).item() < 1e-4


def test_a_moving_teacher_is_resumed(tmp_path):
    options = {"teacher_model_kind": "ema", "max_steps": 3, "save_strategy": "steps", "save_steps": 1}
    through = trainers.sdft(tmp_path, **options)
    through.train()
    again = trainers.sdft(tmp_path, **options)
    again.train(resume_from_checkpoint=str(tmp_path / "checkpoint-1"))
    assert torch.equal(miniature.weights(through.model), miniature.weights(again.model))
    assert torch.equal(miniature.weights(through.teacher_model), miniature.weights(again.teacher_model))


def test_a_prompt_without_a_demonstration_is_named(tmp_path):
    rows = [{**row, "demonstration": None} if i == 3 else row for i, row in enumerate(miniature.chats())]
    with pytest.raises(ValueError, match="train_dataset, row 3: no demonstration"):
        trainers.sdft(tmp_path, rows=rows)


@pytest.mark.parametrize("options", [{"distillation_alpha": 1.5}, {"distillation_topk": 0}, {"distillation_topk": 501}])
def test_an_alpha_and_a_number_of_tokens_out_of_range_are_refused(tmp_path, options):
    with pytest.raises(ValueError, match=r"alpha in \[0, 1\] and top in \[1, \d+\]"):
        trainers.sdft(tmp_path, **options)
